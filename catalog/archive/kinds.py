"""The kinds of result that an archive publishes; nothing else tells one from the other.

What is done otherwise for each kind is stated as one ``ByKind`` where it is done. A further kind is a further field of
it: the type check then names every place that has to say what it does with that kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from catalog.archive.dataset import Dataset
    from pipeline.elevation_change.result import ElevationChange
    from pipeline.mass_balance.result import MassBalance

Arguments = ParamSpec("Arguments")
Told = TypeVar("Told")


@dataclass(frozen=True)
class ByKind(Generic[Arguments, Told]):
    """What is done with a result of each kind; called with a result, it does what is that kind's.

    Attributes
    ----------
    elevation_change, mass_balance : named as the kinds of definitions are.
    """

    elevation_change: Callable[Concatenate[ElevationChange, Arguments], Told]
    mass_balance: Callable[Concatenate[MassBalance, Arguments], Told]

    def __call__(
        self, result: ElevationChange | MassBalance, /, *args: Arguments.args, **named: Arguments.kwargs
    ) -> Told:
        # brings rasters, tables and geometry with it; whoever has a result has imported it already
        from pipeline.elevation_change.result import ElevationChange

        if isinstance(result, ElevationChange):
            return self.elevation_change(result, *args, **named)
        return self.mass_balance(result, *args, **named)


def _itself(result: Told) -> Told:
    return result


def _nothing(_: object) -> None:
    return None


_CHANGE: ByKind[[], ElevationChange | None] = ByKind(elevation_change=_itself, mass_balance=_nothing)
_BALANCE: ByKind[[], MassBalance | None] = ByKind(elevation_change=_nothing, mass_balance=_itself)


def changes_of(dataset: Dataset) -> dict[str, ElevationChange]:
    """The elevation changes of a dataset, by the years of their pair; one of a single pair has no years to tell it.

    There are none where the dataset is of another kind.
    """
    return {part.pair: change for part in dataset.parts if (change := _CHANGE(part.result)) is not None}


def elevation_change_of(dataset: Dataset) -> ElevationChange:
    """The result of a dataset that has to be an elevation change.

    Errors
    ------
    TypeError : it is of another kind.
    """
    change = _CHANGE(dataset.result)
    if change is None:
        raise TypeError(f"{dataset.definition.id}: not an elevation change")
    return change


def mass_balance_of(dataset: Dataset) -> MassBalance:
    """The result of a dataset that has to be a mass balance.

    Errors
    ------
    TypeError : it is of another kind.
    """
    balance = _BALANCE(dataset.result)
    if balance is None:
        raise TypeError(f"{dataset.definition.id}: not a mass balance")
    return balance
