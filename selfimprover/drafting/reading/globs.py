"""Matches paths with globs that strangers wrote: no glob takes more time than its length times that of the path."""


def matches(path: str, glob: str) -> bool:
    """Whether ``path`` is meant by ``glob``, or lies in a folder that is; the same language as ``edits.matches``."""
    wanted = glob.strip("/").split("/")
    if "/" not in glob.rstrip("/"):
        wanted.insert(0, "**")
    wanted = [part for at, part in enumerate(wanted) if at == 0 or not part == wanted[at - 1] == "**"]
    parts = path.split("/")
    reached = [True] + [False] * len(parts)  # reached[n]: the globs so far can have used up the first n parts
    for part in wanted:
        if part == "**":
            first = reached.index(True)
            reached = [at >= first for at in range(len(reached))]
        else:
            reached = [False] + [reached[at] and name_matches(parts[at], part) for at in range(len(parts))]
        if True not in reached:
            return False
    return True


def name_matches(name: str, glob: str) -> bool:
    """Whether one name is meant by a glob of ``*`` (any text) and ``?`` (one character)."""
    at = position = resume = 0
    star = -1
    while position < len(name):
        if at < len(glob) and glob[at] == "*":
            star, resume = at, position
            at += 1
        elif at < len(glob) and glob[at] in {"?", name[position]}:
            at += 1
            position += 1
        elif star >= 0:
            at = star + 1
            position = resume = resume + 1
        else:
            return False
    return all(character == "*" for character in glob[at:])
