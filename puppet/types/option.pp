# @summary The value of an option of a check: `true` for one that takes none
type Thrash_protect::Option = Optional[
  Variant[
    Boolean,
    Numeric,
    Pattern[/\A[^\n'$\\]+\z/],
  ]
]
