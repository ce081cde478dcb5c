from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, torch
from gatewise.kernels import group_linear, mix
torch.set_num_threads(2)
gates, experts = torch.rand(4096, 2, 8).softmax(dim=2), torch.randn(4096, 8, 64)
x, weight = torch.randn(4096, 2, 64), torch.randn(2, 16, 64)

def compute():
    mixed = mix(gates, experts, rectify=True)
    return mixed.sin().sum() + (torch.randn(2000, 400) @ torch.randn(400, 300)).isfinite().sum() + \\
        group_linear(x, weight, None).sin().sum()

expected = compute()
child = os.fork()
if child == 0:
    signal.alarm(60)  # one that waits for threads that are not there ends here
    os._exit(0 if torch.allclose(compute(), expected) else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), torch.get_num_threads())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_computes_and_the_parent_keeps_its_threads() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == ["0", "2"], result.stderr
