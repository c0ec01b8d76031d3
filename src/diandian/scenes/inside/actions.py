"""Writes that a scene takes place inside another one. ``flows/inside`` checks what is right."""

from collections.abc import Sequence

from diandian.audit import actions as audit
from diandian.scenes.models import Scene
from diandian.store.transactions import require_transaction


def set_inside(
    scene: Scene, outer: Scene | None, sources: Sequence[str], *, actor_ref: str
) -> Scene:
    """Write which sources of a scene are counted in which other; None takes it back. Idempotent."""
    require_transaction()
    assert (outer is None) == (not sources), "something is counted there, or nothing is"
    kept = sorted(sources)
    Scene.objects.filter(id=scene.id).update(inside=outer, inside_sources=kept)
    scene.inside, scene.inside_sources = outer, kept
    audit.record(
        actor_ref=actor_ref,
        action="scene.inside_set" if outer else "scene.inside_taken_back",
        subject_ref=f"scene:{scene.id}",
        details={"outer": outer.slug if outer else "", "sources": kept},
    )
    return scene
