# All of it, with what fits most hosts.
include thrash_protect
