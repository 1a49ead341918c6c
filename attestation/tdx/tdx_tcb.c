/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_tcb.h"

/* Bytes of TEE_TCB_SVN (Intel TDX Module ABI specification, TEE_TCB_SVN). */
enum { SVN_MODULE_MINOR = 0, SVN_MODULE_VERSION = 1, SVN_LATE_MICROCODE = 2 };

static bool all_at_least(const uint8_t *found, const uint8_t *wanted, size_t from)
{
	for (size_t i = from; i < TDX_COMPONENTS; i++)
		if (found[i] < wanted[i])
			return false;
	return true;
}

static bool sgx_matches(const struct tdx_tcb_level *level, const struct tdx_pck *pck)
{
	return all_at_least(pck->components, level->sgx, 0) && pck->pcesvn >= level->pcesvn;
}

/* The first level whose SGX components, PCESVN and TDX components are all <= the platform's, or
 * NULL. TDX components 0 and 1 are left to the module's identity when `tee_tcb_svn[1]` > 0. */
static const struct tdx_tcb_level *level_of(const struct tdx_tcb_info *info,
					    const struct tdx_pck *pck,
					    const uint8_t tee_tcb_svn[TDX_SVN_LEN])
{
	size_t from = tee_tcb_svn[SVN_MODULE_VERSION] > 0 ? SVN_LATE_MICROCODE : 0;

	for (size_t i = 0; i < info->level_count; i++)
		if (sgx_matches(&info->levels[i], pck) &&
		    all_at_least(tee_tcb_svn, info->levels[i].tdx, from))
			return &info->levels[i];
	return NULL;
}

/* By SGX components and PCESVN alone: the relaunch rule looks at that level's status, too. */
static const struct tdx_tcb_level *sgx_level_of(const struct tdx_tcb_info *info,
						const struct tdx_pck *pck)
{
	for (size_t i = 0; i < info->level_count; i++)
		if (sgx_matches(&info->levels[i], pck))
			return &info->levels[i];
	return NULL;
}

const struct tdx_module *tdx_tcb_module_of(const struct tdx_tcb_info *info,
					   const uint8_t tee_tcb_svn[TDX_SVN_LEN])
{
	if (tee_tcb_svn[SVN_MODULE_VERSION] == 0)
		return &info->module;
	for (size_t i = 0; i < info->module_count; i++)
		if (info->modules[i].version == tee_tcb_svn[SVN_MODULE_VERSION])
			return &info->modules[i];
	return NULL;
}

const struct tdx_isv_level *tdx_isv_level_of(const struct tdx_isv_level *levels, size_t count,
					     unsigned isvsvn)
{
	for (size_t i = 0; i < count; i++)
		if (levels[i].isvsvn <= isvsvn)
			return &levels[i];
	return NULL;
}

/* The level and the module's level that one TEE_TCB_SVN comes to. */
static int part_evaluate(const struct tdx_tcb_info *info, const struct tdx_pck *pck,
			 const uint8_t *svn, struct tdx_tcb_state *state, struct err *e)
{
	const struct tdx_module *module = tdx_tcb_module_of(info, svn);

	state->level = level_of(info, pck, svn);
	if (!state->level)
		return err_set(e, ERR_DENIED, "no TCB level is as old as this platform");
	if (!module)
		return err_set(e, ERR_DENIED, "no module identity TDX_%02X",
			       svn[SVN_MODULE_VERSION]);
	state->module = NULL;
	if (svn[SVN_MODULE_VERSION] > 0) {
		state->module = tdx_isv_level_of(module->levels, module->level_count,
						 svn[SVN_MODULE_MINOR]);
		if (!state->module)
			return err_set(e, ERR_DENIED,
				       "no level of module identity TDX_%02X is as "
				       "old as SVN %u",
				       svn[SVN_MODULE_VERSION], svn[SVN_MODULE_MINOR]);
	}
	state->status = state->level->status;
	if (state->module)
		state->status = tdx_status_merge(state->status, state->module->status);
	return 0;
}

/* The module that runs now is at least as recent as the newest that the document knows. */
static bool module_is_newest(const struct tdx_tcb_info *info, const uint8_t *svn)
{
	const struct tdx_tcb_level *newest = &info->levels[0];
	const struct tdx_module *module = tdx_tcb_module_of(info, svn);
	unsigned minor = svn[SVN_MODULE_VERSION] > 0 ? module->levels[0].isvsvn : newest->tdx[0];

	return svn[SVN_MODULE_MINOR] >= minor &&
	       svn[SVN_LATE_MICROCODE] >= newest->tdx[SVN_LATE_MICROCODE];
}

static bool needs_configuration(enum tdx_status s)
{
	return s == TDX_CONFIGURATION_NEEDED || s == TDX_OUT_OF_DATE_CONFIGURATION_NEEDED ||
	       s == TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED;
}

/*
 * QVL, TDRelaunchCheck: the TD was launched under an older module, the platform is current, and the
 * module that runs now is the newest. Launching it again is all that is missing.
 */
static enum tdx_status relaunch(const struct tdx_tcb_info *info, const struct tdx_pck *pck,
				const struct tdx_quote *quote, const struct tdx_tcb_state *state,
				enum tdx_status now)
{
	const struct tdx_tcb_level *sgx_level = sgx_level_of(info, pck);
	enum tdx_status sgx = sgx_level->status, launched = state->status;

	if (state->qe->status != TDX_UP_TO_DATE || sgx >= TDX_OUT_OF_DATE || now >= TDX_OUT_OF_DATE)
		return launched;
	if (launched != TDX_OUT_OF_DATE && launched != TDX_OUT_OF_DATE_CONFIGURATION_NEEDED)
		return launched;
	if (!state->module || state->module->status != TDX_OUT_OF_DATE ||
	    !module_is_newest(info, quote->body.tee_tcb_svn2))
		return launched;
	return needs_configuration(sgx) || needs_configuration(launched) || needs_configuration(now)
		       ? TDX_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
		       : TDX_RELAUNCH_ADVISED;
}

/* What runs now counts where it is worse than what was launched: no relaunch mends that. */
static void conclude(const struct tdx_tcb_info *info, const struct tdx_pck *pck,
		     const struct tdx_quote *quote, const struct tdx_tcb_state *now,
		     struct tdx_tcb_state *s)
{
	enum tdx_status relaunched = relaunch(info, pck, quote, s, now->status);
	enum tdx_status both = tdx_status_worse(s->status, now->status);

	if (relaunched != s->status) {
		s->status = relaunched;
	} else if (both != s->status) {
		*s = *now;
		s->status = both;
	}
}

int tdx_tcb_evaluate(const struct tdx_tcb_info *info, const struct tdx_pck *pck,
		     const struct tdx_quote *quote, const struct tdx_isv_level *qe,
		     struct tdx_tcb_state *state, struct err *e)
{
	struct tdx_tcb_state s = { .qe = qe }, now = { .qe = qe };

	if (part_evaluate(info, pck, quote->body.tee_tcb_svn, &s, e) < 0)
		return err_wrap(e, "TEE_TCB_SVN");
	if (quote->body_type == TDX_BODY_15) {
		if (part_evaluate(info, pck, quote->body.tee_tcb_svn2, &now, e) < 0)
			return err_wrap(e, "TEE_TCB_SVN_2");
		conclude(info, pck, quote, &now, &s);
	}
	s.status = tdx_status_merge(s.status, qe->status);
	*state = s;
	return 0;
}
