"""The Azure Resource Manager plane of the emulated cloud: a tree of resources under each subscription."""
