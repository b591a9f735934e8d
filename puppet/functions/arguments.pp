# @summary Options of a program as its arguments
#
# @param options
#   By their long names, where hyphens may be underscores. What is `undef` or
#   `false` is left out; `true` stands for an option without a value.
#
# @return [Array[String[1]]] The arguments, not quoted
#
# @example Of a check
#   thrash_protect::arguments({'warning' => 5, 'orphans' => true, 'since' => undef})
#   # ['--warning', '5', '--orphans']
function thrash_protect::arguments(Hash[String[1], Thrash_protect::Option] $options) >> Array[String[1]] {
  $options.reduce([]) |$arguments, $option| {
    $name = "--${regsubst($option[0], '_', '-', 'G')}"
    $arguments + ($option[1] ? {
        undef   => [],
        false   => [],
        true    => [$name],
        default => [$name, join([$option[1]], '')],
    })
  }
}
