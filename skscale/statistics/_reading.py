"""A statistic of any kind from bytes."""

from __future__ import annotations

from skscale.statistics import _bytes
from skscale.statistics._protocol import Statistic


def from_bytes(data: bytes | bytearray | memoryview) -> Statistic:
    """Read a statistic of any kind, which the bytes tell.

    Parameters
    ----------
    data : bytes, bytearray or memoryview
        What ``statistic.to_bytes()`` returned, here or elsewhere. Nothing is run, and no more
        memory taken than a few times their size.

    Returns
    -------
    statistic : Statistic
        Equal to the one that was written, bit for bit.

    Raises
    ------
    StatisticBytesError
        For bytes that are not of a statistic, were cut off or damaged, or are of another version;
        and for numbers that no rows leave behind, whatever their checksum.

    See Also
    --------
    Moments.from_bytes : and that of any other kind, which refuses all other kinds.

    Notes
    -----
    The checksum tells damage, and not who wrote the bytes: sign them where that matters.

    Examples
    --------
    >>> from skscale.statistics import Moments, from_bytes
    >>> sent = Moments.of([[1.0], [3.0]]).to_bytes()
    >>> from_bytes(sent)
    Moments(total=2, n_features=1)

    Bytes that lost their end on the way:

    >>> from_bytes(sent[:100])
    Traceback (most recent call last):
    skscale.errors.StatisticBytesError: The bytes are cut off: 50 follow the header, ...
    """
    statistic: Statistic = _bytes.read(data)
    return statistic
