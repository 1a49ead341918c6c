/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/admission.h"

#include "manager/launch/tee.h"

#include <sys/statvfs.h>

enum { MIB_SHIFT = 20 };

/* One thing that CVMs are made of, as people count it. */
struct share {
	const char *name, *unit, *setting;
	uint64_t asked, most, used, total; /* total 0: no limit */
};

static int check_most(const struct share *s, struct err *e)
{
	if (s->asked <= s->most)
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s: %llu%s are asked for, and a CVM may have %llu at most (MANAGER_MAX_%s)",
		       s->name, (unsigned long long)s->asked, s->unit, (unsigned long long)s->most,
		       s->setting);
}

static int check_total(const struct share *s, struct err *e)
{
	uint64_t left = s->used < s->total ? s->total - s->used : 0;

	if (!s->total || s->asked <= left)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "%s: %llu%s are asked for, and %llu of %llu are used (MANAGER_TOTAL_%s): "
		       "remove a CVM, or ask for less",
		       s->name, (unsigned long long)s->asked, s->unit, (unsigned long long)s->used,
		       (unsigned long long)s->total, s->setting);
}

static struct share cpus_of(const struct config *c, const struct admission_use *use,
			    const struct cvm *cvm)
{
	return (struct share){
		"cpus", "", "CPUS", cvm->cpus, c->max_cpus, use->cpus, c->total_cpus
	};
}

/* What is used is rounded up, and limits down. */
static struct share memory_of(const struct config *c, const struct admission_use *use,
			      const struct cvm *cvm)
{
	return (struct share){ "memory",
			       " MiB",
			       "MEMORY",
			       cvm->memory >> MIB_SHIFT,
			       c->max_memory >> MIB_SHIFT,
			       (use->memory + ((1 << MIB_SHIFT) - 1)) >> MIB_SHIFT,
			       c->total_memory >> MIB_SHIFT };
}

int admission_give(const struct config *config, const struct cvm_request *request, struct cvm *cvm,
		   struct err *e)
{
	static const struct admission_use nothing = { 0 };
	struct share cpus, memory;

	cvm->cpus = request->cpus ? request->cpus : (unsigned)config->cpus;
	cvm->memory = request->memory ? request->memory : config->memory;
	cpus = cpus_of(config, &nothing, cvm);
	memory = memory_of(config, &nothing, cvm);
	if (check_most(&cpus, e) < 0 || check_most(&memory, e) < 0)
		return err_code(e);
	if (memory.asked < CONFIG_MEMORY_MIN_MIB)
		return err_set(e, ERR_INVALID,
			       "memory: %llu MiB are asked for, and a CVM has %d MiB at least",
			       (unsigned long long)memory.asked, CONFIG_MEMORY_MIN_MIB);
	/* The number of CPUs is part of what SNP measures, and the block says what is measured. */
	if (config->snp_id_block && cvm->cpus != config->cpus)
		return err_set(e, ERR_INVALID,
			       "cpus: %u are asked for, and MANAGER_SNP_ID_BLOCK admits a launch "
			       "with %llu alone (MANAGER_CPUS)",
			       cvm->cpus, (unsigned long long)config->cpus);
	return tee_check_wish(config, request->tee, e);
}

void admission_count(const struct config *config, const struct cvm *cvm, struct admission_use *use)
{
	use->cpus += cvm->cpus;
	use->memory += cvm->memory ? cvm->memory : config->memory;
}

int admission_check(const struct config *config, const struct admission_use *use,
		    const struct cvm *cvm, struct err *e)
{
	struct share cpus = cpus_of(config, use, cvm), memory = memory_of(config, use, cvm);

	return check_total(&cpus, e) < 0 ? err_code(e) : check_total(&memory, e);
}

int admission_check_disk(const struct config *config, unsigned others, struct err *e)
{
	struct statvfs fs;
	uint64_t left, all;

	if (statvfs(config->state_dir, &fs) < 0)
		return err_errno(e, "'%s'", config->state_dir);
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	all = (uint64_t)fs.f_blocks * fs.f_frsize;
	if (left / ((uint64_t)others + 1) >= config->state_free)
		return 0;
	if (left >= config->state_free)
		return err_set(e, ERR_EXHAUSTED,
			       "disk: %llu MiB are free where '%s' is, and %u CVMs are being "
			       "created: %llu must be free for each of them and for another one "
			       "(MANAGER_STATE_FREE)",
			       (unsigned long long)left >> MIB_SHIFT, config->state_dir, others,
			       (unsigned long long)config->state_free >> MIB_SHIFT);
	return err_set(e, ERR_EXHAUSTED,
		       "disk: %llu of %llu MiB are used where '%s' is, and %llu must be free for "
		       "another CVM (MANAGER_STATE_FREE)",
		       (unsigned long long)(all - left) >> MIB_SHIFT,
		       (unsigned long long)all >> MIB_SHIFT, config->state_dir,
		       (unsigned long long)config->state_free >> MIB_SHIFT);
}
