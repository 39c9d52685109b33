"""From images to model inputs."""
