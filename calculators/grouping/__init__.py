"""Bottom-up poses: joints of everybody first, people out of them after.

`part_affinity` follows limbs (OpenPose), `associative_embedding` tags (HigherHRNet); the calculators are beside them.
"""
