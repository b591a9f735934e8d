# @summary Which processes are meant: a shell pattern for the name, or for more
#
# `mysqld*` is a name, `exe:/opt/shop/*` a program, `user:backup` a user and
# `cgroup:/jobs.slice/*` a cgroup.
type Thrash_protect::Rule = Pattern[
  /\A((comm|exe|user|cgroup):\S{1,127}|[^\s:]{1,127})\z/,
]
