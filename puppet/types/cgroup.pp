# @summary A shell pattern for paths of cgroups below the root
type Thrash_protect::Cgroup = Pattern[/\A\/\S{1,126}\z/]
