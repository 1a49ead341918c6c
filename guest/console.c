/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { CONSOLE_LINE_MAX = 768 };

int console_deafen(struct err *e)
{
	struct termios t;

	if (tcgetattr(STDERR_FILENO, &t) < 0) /* a machine without a console */
		return 0;
	t.c_iflag = IGNBRK | IGNPAR;
	t.c_lflag = 0;
	t.c_cflag &= ~(tcflag_t)CREAD;
	if (tcsetattr(STDERR_FILENO, TCSANOW, &t) < 0 || tcflush(STDERR_FILENO, TCIFLUSH) < 0)
		return err_errno(e, "close the console to what is typed");
	return 0;
}

void console_line(const char *fmt, ...)
{
	struct timespec up = { 0 };
	char text[CONSOLE_LINE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clock_gettime(CLOCK_BOOTTIME, &up);
	dprintf(STDERR_FILENO, "cocos-init: [%lld.%02ld] %s\n", (long long)up.tv_sec,
		up.tv_nsec / 10000000, text);
}

void console_power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	reboot((int)RB_HALT_SYSTEM);
	for (;;) /* PID 1 must not return: the kernel would panic and boot again */
		pause();
}

void console_stop_boot(const struct err *e)
{
	console_line("boot stopped: %s", e->text);
	console_power_off();
}
