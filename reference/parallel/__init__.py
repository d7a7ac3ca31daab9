"""Training on many devices, in narrow numbers, with less memory, and many steps at once.

| file | what is in it |
|---|---|
| `devices.py` | platform and number of devices, their memory |
| `replication.py` | a pytree on every device, a batch in equal parts |
| `data_parallel.py` | `pmap`: the whole state on every device, averaged gradients |
| `sharding.py` | `jit` over a mesh: examples, matrices and states divided |
"""
