"""Tables to try laws on."""

from __future__ import annotations

@functools.lru_cache(maxsize=16)
def table(n_rows: int, n_features: int) -> Array:
    """Correlated columns of different means and spreads; read-only."""
    drawn = np.random.default_rng([n_rows, n_features])
    mixing = np.eye(n_features) + 0.4 * np.tri(n_features, k=-1)
    spread = np.resize([1.0, 3.0, 0.5, 10.0], n_features)
    rows = drawn.standard_normal((n_rows, n_features)) @ mixing * spread
    rows += np.resize([0.0, 10.0, -300.0, 1000.0], n_features)
    rows.flags.writeable = False
    return rows


def replaced(table: Array, where: Any, value: Any) -> Array:
    changed = table.copy()
    changed[where] = value
    return changed


def frame_of(kind: str, array: Array) -> Any:
    """A frame, or None if its library is not installed."""
    names = [f"column {i}" for i in range(array.shape[1])]
    try:
        return tables.to_frame(array, kind, names, None, False)
    except MissingDependencyError:
        return None


def learned(transformer: Any) -> dict[str, Any]:
    """Public fitted attributes but the statistic, which is compared by what it does."""
    return {
        name: value
        for name, value in vars(transformer).items()
        if name.endswith("_") and not name.startswith("_") and name != "statistic_"
    }


def state(transformer: Any) -> dict[str, Any]:
    return copy.deepcopy(vars(transformer))


def arrays(thing: Any, seen: set[int] | None = None) -> Iterator[Array]:
    """Every array that can be reached from here."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, (str, bytes, type)):
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from arrays(value, seen)
    elif isinstance(thing, (list, tuple, set)):
        for value in thing:
            yield from arrays(value, seen)
    elif hasattr(thing, "__dict__"):
        yield from arrays(vars(thing), seen)
