"""`graphflow fit`: parameters of calculators from annotated images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphflow.cli.reporting import UsageError, say

if TYPE_CHECKING:
    from graphflow.evaluation.annotations import Annotations
    from graphflow.evaluation.proposals import ImageProposals

DataOption = Annotated[Path, typer.Option("--data", metavar="ANNOTATIONS", help="The truth: a COCO keypoint file.")]
ProposalsOption = Annotated[
    Path, typer.Option("--proposals", metavar="RESULTS", help="What was found, redundant: a COCO results file.")
]
OutputOption = Annotated[Path, typer.Option("--output", "-o", metavar="FILE.yaml", help="Write what is found there.")]

fit_app = typer.Typer(no_args_is_help=True, help="Fit parameters of calculators to annotated images.")


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module to the program."""
    app.add_typer(fit_app, name="fit")


@fit_app.command(name="pose-nms")
def pose_nms(
    data: DataOption,
    proposals: ProposalsOption,
    output: OutputOption,
    start: Annotated[
        Path | None, typer.Option("--start", metavar="FILE.yaml", help="Begin with these; default PoseNms's own.")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Go over each pair of parameters so often.")] = 3,
    held_out: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--held-out", metavar="ANNOTATIONS RESULTS", help="Score what is found on these, too."),
    ] = None,
) -> None:
    """Fit the parameters of PoseNms: two by two, for the highest average precision."""
    from graphflow.calculators.tracking.pose_nms import PoseNmsParameters, pose_nms_text, read_pose_nms
    from graphflow.evaluation.nms_fitting import fit_pose_nms, nms_average_precision

    truth, found = _read(data, proposals)
    others = None if held_out is None else _read(*held_out)
    try:
        first = PoseNmsParameters() if start is None else read_pose_nms(start)
        fit = fit_pose_nms(truth, found, first, rounds)
        scores = f"AP {fit.average_precision_before:.4f} -> {fit.average_precision:.4f}"
        if others is not None:
            before, after = (nms_average_precision(*others, each) for each in (first, fit.parameters))
            scores += f"; held out {before:.4f} -> {after:.4f}"
    except ValueError as error:
        raise UsageError(str(error)) from None
    output.write_text(f"# graphflow fit pose-nms: {scores}\n{pose_nms_text(fit.parameters)}", "utf-8")
    say(f"{scores}, of {fit.tried} sets of parameters; the best are in {output}")


@fit_app.command()
def proposals(
    data: DataOption,
    proposals: ProposalsOption,
    output: OutputOption,
    atoms: Annotated[int, typer.Option("--atoms", min=1, help="Group the poses into at most so many.")] = 30,
    seed: Annotated[int, typer.Option("--seed", help="Of the first centres of the groups.")] = 0,
) -> None:
    """Learn for ProposalVariants how a detector's boxes are off, pose by pose."""
    from graphflow.calculators.tracking.atomic_poses import atomic_poses_text
    from graphflow.evaluation.proposal_fitting import fit_proposals

    truth, found = _read(data, proposals)
    try:
        learned = fit_proposals(truth, found, atoms, seed=seed)
    except ValueError as error:
        raise UsageError(str(error)) from None
    people = int(learned.count.sum())
    output.write_text(f"# graphflow fit proposals: of {people} boxes\n{atomic_poses_text(learned)}", "utf-8")
    say(f"{len(learned.poses)} atomic poses of {people} boxes are in {output}")


def _read(data: Path, proposals: Path) -> tuple[Annotations, dict[int, ImageProposals]]:
    from graphflow.evaluation.annotations import read_annotations
    from graphflow.evaluation.proposals import read_proposals

    try:
        return read_annotations(data), read_proposals(proposals)
    except ValueError as error:
        raise UsageError(str(error)) from None
