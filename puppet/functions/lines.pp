# @summary Settings as the lines of a configuration file
#
# @param settings
#   By name. What is `undef` is left out, so that the program's own default
#   holds; `none` is an empty value.
#
# @return [Array[String[1]]] The lines, each a `name = value`
#
# @example Of the daemon
#   thrash_protect::lines({'max_frozen' => 30, 'batch' => ['make', 'cc1'], 'debug' => undef})
#   # ['max_frozen = 30', 'batch = make cc1']
function thrash_protect::lines(Hash[String[1], Any] $settings) >> Array[String[1]] {
  $settings.filter |$name, $value| { $value =~ NotUndef }.map |$name, $value| {
    $text = $value ? {
      true    => 'yes',
      false   => 'no',
      'none'  => '',
      Array   => join($value, ' '),
      default => join([$value], ''),
    }
    $text ? {
      ''      => "${name} =",
      default => "${name} = ${text}",
    }
  }
}
