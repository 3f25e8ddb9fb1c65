"""What a reference of an archive says with the archive's address and without."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.archive import join


@dataclass(frozen=True)
class Address:
    """Where an archive is served: ``base`` as ``base_of`` gives it; empty for one that is not said to be anywhere."""

    base: str

    def of(self, path: str) -> str:
        """Address of a file, by its path from the archive's root."""
        return f"{self.base}/{path}"

    def absolute(self, folder: str, href: str) -> str:
        """A reference that stands in ``folder`` as an address; one that leads out of the archive as it is."""
        path = join(folder, href)
        return href if path is None else self.of(path)

    def relative(self, folder: str, href: str, here: str = "") -> str:
        """A reference to a file of this archive, as it leads on from ``folder``; any other as it is.

        Parameters
        ----------
        here : what a reference to a file beside or below begins with.
        """
        if not self.base or not href.startswith(f"{self.base}/"):
            return href
        above, target = (folder.split("/") if folder else []), href.removeprefix(f"{self.base}/").split("/")
        shared = 0
        while shared < min(len(above), len(target) - 1) and above[shared] == target[shared]:
            shared += 1
        up = "../" * (len(above) - shared)
        return (up or here) + "/".join(target[shared:])
