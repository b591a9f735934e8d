# @summary A limit of a check, as Nagios' plugins take it
#
# `5` alerts outside of 0 to 5, `10:` below 10, `~:5` above 5, `1:5` outside of
# 1 to 5, and `@1:5` inside.
type Thrash_protect::Range = Variant[
  Integer[0],
  Float[0.0],
  Pattern[/\A@?(\d+(\.\d+)?|(~|\d+(\.\d+)?):(\d+(\.\d+)?)?)\z/],
]
