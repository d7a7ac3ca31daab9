"""Training on many devices, in narrow numbers, with less memory, and many steps at once.

| file | what is in it |
|---|---|
| `devices.py` | platform and number of devices, their memory |
| `replication.py` | a pytree on every device, a batch in equal parts |
| `data_parallel.py` | `pmap`: the whole state on every device, averaged gradients |
| `sharding.py` | `jit` over a mesh: examples, matrices and states divided |
| `processes.py` | many processes, on one machine or many |
| `scan.py` | many steps in one dispatch, on examples that stay on the device |
| `precision.py` | arithmetic in bfloat16, or in float16 with a loss scale |
| `rematerialization.py` | gradient checkpointing |
| `utilization.py` | the arithmetic of a step, and what share of the peak it reaches |

The first two ways of many devices give an `Execution` (`training/execution.py`), which the loop takes as it is; the
others change an objective, an optimiser, or the step of one device.
"""
