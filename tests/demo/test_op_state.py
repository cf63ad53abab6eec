"""The embedded provider's memory is bounded."""

from chain_gateway.demo.op.state import Shelf


def test_a_shelf_keeps_the_newest():
    """When it is full, the oldest entry makes room."""
    shelf = Shelf(life=10, entries=2)
    for name in ("a", "b", "c"):
        shelf.put(name, name, 0)
    assert (shelf.get("a", 1), shelf.get("b", 1), shelf.get("c", 1), len(shelf)) == (None, "b", "c", 2)


def test_a_shelf_forgets_by_time():
    """An entry lives for its seconds and not one longer."""
    shelf = Shelf(life=10)
    shelf.put("a", "x", 100)
    assert shelf.get("a", 109.9) == "x"
    assert shelf.get("a", 110) is None


def test_a_value_is_taken_once():
    """The second time there is nothing."""
    shelf = Shelf(life=10)
    shelf.put("a", "x", 0)
    assert (shelf.take("a", 1), shelf.take("a", 1)) == ("x", None)
