/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The main() of every check: nagios_check is what the linker puts there. */
#include "plugins/nagios/nagios.h"

extern const struct nagios_check nagios_check;

int main(int argc, char **argv)
{
	return nagios_main(&nagios_check, argc, argv);
}
