/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the linker puts in the place of privilege_drop(): nothing is given up.
 */
int keep_privileges(void) __asm__("__wrap_privilege_drop");

int keep_privileges(void)
{
	return 0;
}
