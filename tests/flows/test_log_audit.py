"""The outside auditor finds nothing in what the product itself writes, signs and closes."""

import pytest

from diandian.flows import batches, log_keys
from diandian.registry.models import CreditBatch
from diandian.transparency import keys, queries
from diandian.transparency.files import folder_of
from diandian.transparency.heads.signer import Signer
from diandian.verifier.audit import program

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.KEYS_DIR = tmp_path / "keys"
    settings.LOG_WITNESSES = ""


def bought(world, mass_g):
    assert world.pay(world.order(mass_g)) == "completed"


def audited(*folders):
    known = [
        part
        for head in queries.heads()
        for key in keys.verifiers(queries.keys_of(head))
        for part in ("--key", key.vkey())
    ]
    return program.main([*map(str, folders), *known])


def test_a_log_with_every_kind_of_change_is_clean_over_a_rotation_and_a_closing(world, capsys):
    signer = Signer()
    number = CreditBatch.objects.get().public_id
    bought(world, 124_000)
    batches.freeze(number, reason="under-review", actor_ref="operator:1", at=world.now)
    batches.thaw(number, reason="cleared", actor_ref="operator:1", at=world.now)
    wish = {"reason": "fire", "actor_ref": "operator:1", "at": world.now}
    batches.cancel(number, mass_g=1_000, source_ref="cancel:1", **wish)
    signer.turn(at=world.now)
    assert audited(folder_of(1)) == 0, capsys.readouterr().out
    log_keys.rotate(actor="operator:1", reason="yearly", at=world.now)
    bought(world, 3_000)
    signer.turn(at=world.now)
    log_keys.close(actor="operator:1", reason="a laptop is gone", at=world.now)
    bought(world, 5_000)
    signer.turn(at=world.now)
    assert audited(folder_of(1), folder_of(2)) == 0, capsys.readouterr().out
    assert "CLEAN" in capsys.readouterr().out


def test_a_log_with_a_changed_entry_is_not_clean(world, capsys):
    bought(world, 124_000)
    Signer().turn(at=world.now)
    bundle = next((folder_of(1) / "tile/entries/000.p").iterdir())
    data = bundle.read_bytes()
    bundle.write_bytes(data.replace(b'"purpose":"lump_sum"', b'"purpose":"lump_sux"'))
    assert bundle.read_bytes() != data
    assert audited(folder_of(1)) != 0
    assert "NOT CLEAN" in capsys.readouterr().out
    bundle.write_bytes(data)
