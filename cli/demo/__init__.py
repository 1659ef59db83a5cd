"""The demonstration: the whole main job on example contracts, with simulated parties."""
