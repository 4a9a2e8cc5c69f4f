"""The benchmark harness: contenders take turns on the same workloads, in processes of their own."""
