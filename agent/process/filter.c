/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/filter.h"

#include <errno.h>
#include <sys/socket.h>

int filter_rings(struct err *e)
{
	static const char *const rings[] = { "io_uring_setup", "io_uring_enter",
					     "io_uring_register" };
	CLEANUP(seccomp_release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter)
		return err_nomem(e);
	if (filter_add_all(filter, SCMP_ACT_ERRNO(ENOSYS), rings, ARRAY_LEN(rings), e) < 0)
		return err_code(e);
	return filter_load(filter, e);
}

scmp_filter_ctx filter_new(struct err *e)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (!filter) {
		err_nomem(e);
		return NULL;
	}
	/* a tree of comparisons rather than a list: these are hundreds */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0) {
		err_set(e, ERR_INTERNAL, "seccomp: attribute");
		seccomp_release(filter);
		return NULL;
	}
	return filter;
}

int filter_add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned int count,
	       const struct scmp_arg_cmp *args, struct err *e)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR || number < 0)
		return 0; /* this architecture, or this library, has none of that name */
	int r = seccomp_rule_add_array(filter, action, number, count, args);
	if (r < 0) {
		errno = -r;
		return err_errno(e, "seccomp: rule for %s", name);
	}
	return 0;
}

int filter_add_all(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count,
		   struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (filter_add(filter, action, names[i], 0, NULL, e) < 0)
			return err_code(e);
	return 0;
}

int filter_add_values(scmp_filter_ctx filter, const char *name, unsigned int index,
		      const uint64_t *values, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct scmp_arg_cmp arg =
			SCMP_CMP(index, SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, values[i]);

		if (filter_add(filter, SCMP_ACT_ALLOW, name, 1, &arg, e) < 0)
			return err_code(e);
	}
	return 0;
}

int filter_add_socket(scmp_filter_ctx filter, uint64_t family, uint64_t type, struct err *e)
{
	const uint64_t type_bits = 0xFFFFFFFFu & ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
	const struct scmp_arg_cmp args[] = {
		SCMP_A0(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, family),
		SCMP_A1(SCMP_CMP_MASKED_EQ, type_bits, type),
	};

	return filter_add(filter, SCMP_ACT_ALLOW, "socket", ARRAY_LEN(args), args, e);
}

int filter_load(scmp_filter_ctx filter, struct err *e)
{
	int r = seccomp_load(filter);

	if (r < 0) {
		errno = -r;
		return err_errno(e, "seccomp: load");
	}
	return 0;
}
