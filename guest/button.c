/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/button.h"

#include "common/base/cleanup.h"

#include <fcntl.h>
#include <linux/input.h>
#include <stdint.h>
#include <sys/ioctl.h>

enum { INPUT_DEVICES_MAX = 32 };

static bool has_power_key(int fd)
{
	uint8_t keys[KEY_MAX / 8 + 1] = { 0 };

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
	       (keys[KEY_POWER / 8] & (1 << (KEY_POWER % 8)));
}

void buttons_open(struct buttons *buttons)
{
	*buttons = (struct buttons){ .count = 0 };
	for (int i = 0; i < INPUT_DEVICES_MAX && buttons->count < BUTTONS_MAX; i++) {
		char path[32];
		CLEANUP(close) int fd = -1;

		snprintf(path, sizeof(path), "/dev/input/event%d", i);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && has_power_key(fd))
			buttons->fd[buttons->count++] = TAKE_FD(fd);
	}
}

bool button_pressed(int fd)
{
	struct input_event event;
	bool pressed = false;

	while (read(fd, &event, sizeof(event)) == sizeof(event))
		pressed |= event.type == EV_KEY && event.code == KEY_POWER && event.value == 1;
	return pressed;
}
