"""Who is next: an accumulating priority queue.

Stanford, Taylor, Ziedins, Queueing Systems 77 (2014) 297-330, doi 10.1007/s11134-013-9382-6.

A waiting node of class k has priority rates[k] x (now - arrival); class 0 comes strictly first, whatever the
lane. Within a class order is first come, first served, so only the heads of the lists are looked at. All
numbers are integers; on the device they stay below 2**30 if rates x waits do (``classes.MAX_RATE``,
``classes.MAX_WAIT_S``).
"""


class Node:
    """One who waits. The unit of ``arrival`` is the caller's; ties: by ``seq``, then ``rank``: low first."""

    rank = 0  # among those who came with one seq: the others of a family have their own

    __slots__ = ("arrival", "cls", "lane", "seq")

    def __init__(self, arrival: int, seq: int):
        self.arrival = arrival
        self.seq = seq
        self.lane = ""
        self.cls = 0


class Waiting:
    """Lists in the order of arrival, one for class 0 and one per (lane, class) for the others."""

    def __init__(self, classes: int = 3):
        self._classes = classes
        self.clear()

    def __len__(self) -> int:
        return self._n

    def clear(self) -> None:
        """Nobody waits."""
        self._strict: "list" = []
        self._lanes: "dict[str, list]" = {}
        self._n = 0

    def add(self, node: Node, lane: str, cls: int, arrival: int) -> None:
        """Put a node where its (arrival, seq) belongs: the end at once, before it by walking from there."""
        node.lane = lane
        node.cls = cls
        node.arrival = arrival
        if cls and lane not in self._lanes:
            self._lanes[lane] = [[] for _ in range(self._classes - 1)]
        nodes = self._stands(node)
        i = len(nodes)
        while i and _earlier(node, nodes[i - 1]):
            i -= 1
        nodes.insert(i, node)
        self._n += 1

    def remove(self, node: Node) -> None:
        """Take a node out, from wherever it stands; nothing happens if it does not wait."""
        try:
            self._stands(node).remove(node)
        except (KeyError, ValueError):
            return
        self._n -= 1

    def _stands(self, node: Node) -> list:
        return self._lanes[node.lane][node.cls - 1] if node.cls else self._strict

    def pick(self, lanes, now: int, rates):
        """The node to call next from ``lanes`` (names; empty: every lane), or None; it is not removed.

        Looks at one head per class and lane, however many wait. Ties go to the earlier ticket.
        """
        if self._strict:
            return self._strict[0]
        best = None
        most = 0
        for lane in lanes or self._lanes:
            cls = 0
            for nodes in self._lanes.get(lane, ()):
                cls += 1
                if nodes:
                    node = nodes[0]
                    priority = rates[cls] * (now - node.arrival)
                    if best is None or priority > most or (priority == most and _earlier(node, best)):
                        best = node
                        most = priority
        return best

    def order(self, now: int, rates, limit: int, lanes=()):
        """Yield up to ``limit`` nodes in the order in which ``pick`` takes them, one by one, at ``now``."""
        ahead = Ahead(self)
        while limit > 0:
            node = ahead.take(now, rates, lanes)
            if node is None:
                return
            yield node
            limit -= 1


class Ahead:
    """Plays a queue forward without changing it; it must not change meanwhile."""

    def __init__(self, waiting: Waiting):
        self._lists = [waiting._strict]
        for lists in waiting._lanes.values():
            self._lists += lists
        self._taken = [0] * len(self._lists)

    def take(self, now: int, rates, lanes=()):
        """The next from ``lanes`` (none: all), as ``pick`` has it, of those not taken yet; or None."""
        best = None
        at = most = 0
        for i in range(len(self._lists)):
            nodes = self._lists[i]
            if self._taken[i] == len(nodes):
                continue
            node = nodes[self._taken[i]]
            if node.cls == 0:
                best = node
                at = i
                break
            if lanes and node.lane not in lanes:
                continue
            priority = rates[node.cls] * (now - node.arrival)
            if best is None or priority > most or (priority == most and _earlier(node, best)):
                best = node
                most = priority
                at = i
        if best is not None:
            self._taken[at] += 1
        return best


def _earlier(a: Node, b: Node) -> bool:
    if a.arrival != b.arrival:
        return a.arrival < b.arrival
    return a.seq < b.seq or (a.seq == b.seq and a.rank < b.rank)
