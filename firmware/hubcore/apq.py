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

    __slots__ = ("arrival", "behind", "cls", "ends", "front", "lane", "seq")

    def __init__(self, arrival: int, seq: int):
        self.arrival = arrival
        self.seq = seq
        self.lane = ""
        self.cls = 0
        self.ends: "list | None" = None  # the list it stands in: [head, tail]
        self.front: "Node | None" = None
        self.behind: "Node | None" = None


class Waiting:
    """Doubly linked lists, one for class 0 and one per (lane, class) for the others."""

    def __init__(self, classes: int = 3):
        self._classes = classes
        self._strict: "list" = [None, None]
        self._lanes: "dict[str, list]" = {}
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def add(self, node: Node, lane: str, cls: int, arrival: int) -> None:
        """Put a node where its (arrival, seq) belongs: the end at once, before it by walking from there."""
        node.lane = lane
        node.cls = cls
        node.arrival = arrival
        if cls == 0:
            ends = self._strict
        else:
            heads = self._lanes.get(lane)
            if heads is None:
                heads = self._lanes[lane] = [[None, None] for _ in range(self._classes - 1)]
            ends = heads[cls - 1]
        front = ends[1]
        while front is not None and _earlier(node, front):
            front = front.front
        behind = ends[0] if front is None else front.behind
        node.ends = ends
        node.front = front
        node.behind = behind
        if front is None:
            ends[0] = node
        else:
            front.behind = node
        if behind is None:
            ends[1] = node
        else:
            behind.front = node
        self._n += 1

    def remove(self, node: Node) -> None:
        """Take a node out, from wherever it stands, at once; nothing happens if it does not wait."""
        ends = node.ends
        if ends is None:
            return
        if node.front is None:
            ends[0] = node.behind
        else:
            node.front.behind = node.behind
        if node.behind is None:
            ends[1] = node.front
        else:
            node.behind.front = node.front
        node.ends = node.front = node.behind = None
        self._n -= 1

    def pick(self, lanes, now: int, rates):
        """The node to call next from ``lanes`` (names; empty: every lane), or None; it is not removed.

        Looks at one head per class and lane, however many wait. Ties go to the earlier ticket.
        """
        best = self._strict[0]
        if best is not None:
            return best
        most = 0
        for lane in lanes or self._lanes:
            heads = self._lanes.get(lane)
            if heads is None:
                continue
            cls = 0
            for ends in heads:
                cls += 1
                node = ends[0]
                if node is not None:
                    priority = rates[cls] * (now - node.arrival)
                    if best is None or priority > most or (priority == most and _earlier(node, best)):
                        best = node
                        most = priority
        return best

    def heads(self, lanes=()) -> list:
        """The first of each list of ``lanes`` (none: all) that is not empty, class 0 left out."""
        heads = []
        for lane in lanes or self._lanes:
            for ends in self._lanes.get(lane, ()):
                if ends[0] is not None:
                    heads.append(ends[0])
        return heads

    def strict(self) -> "Node | None":
        """The first of class 0, or None."""
        return self._strict[0]

    def order(self, now: int, rates, limit: int, lanes=()):
        """Yield up to ``limit`` nodes in the order in which ``pick`` takes them, one by one, at ``now``."""
        node = self._strict[0]
        while node is not None and limit > 0:
            yield node
            limit -= 1
            node = node.behind
        heads = self.heads(lanes)
        while heads and limit > 0:
            at = -1
            most = 0
            for i in range(len(heads)):
                node = heads[i]
                priority = rates[node.cls] * (now - node.arrival)
                if at < 0 or priority > most or (priority == most and _earlier(node, heads[at])):
                    at = i
                    most = priority
            node = heads[at]
            if node.behind is None:
                heads.pop(at)
            else:
                heads[at] = node.behind
            yield node
            limit -= 1


def _earlier(a: Node, b: Node) -> bool:
    if a.arrival != b.arrival:
        return a.arrival < b.arrival
    return a.seq < b.seq or (a.seq == b.seq and a.rank < b.rank)
