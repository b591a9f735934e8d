# @summary What is in values, for a file that only its reader sees
#
# @param values
#   Of which some may be `Sensitive`.
#
# @return [Hash[String[1], String[1]]] All of them in the open
#
# @api private
function thrash_protect::unwrap(Hash[String[1], Any] $values) >> Hash[String[1], String[1]] {
  $values.reduce({}) |$all, $value| {
    $all + {
      $value[0] => $value[1] ? {
        Sensitive => $value[1].unwrap,
        default   => $value[1],
      }
    }
  }
}
