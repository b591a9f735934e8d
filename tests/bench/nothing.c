/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What starting and ending any program costs, linked as the plugins are. */
int main(void)
{
	return 0;
}
