/* SPDX-License-Identifier: Apache-2.0 */
/* Versions: TCB, firmware, mitigations. */
#include "attestation/snp/snp_judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void snp_judge_provisional_tcb(const struct snp_judge_rule *rule, const struct snp_policy *p,
			       const struct snp_evidence *ev, struct verdict *v)
{
	bool same = memcmp(ev->report->current_tcb, ev->report->committed_tcb, SNP_TCB_LEN) == 0;

	verdict_check(v, rule->check, same || p->allow_provisional,
		      same ? "CURRENT_TCB is COMMITTED_TCB" : "CURRENT_TCB is not committed",
		      p->allow_provisional ? "either" : "committed");
}

void snp_judge_provisional_firmware(const struct snp_judge_rule *rule, const struct snp_policy *p,
				    const struct snp_evidence *ev, struct verdict *v)
{
	const struct snp_report *r = ev->report;
	bool same = r->current_major == r->committed_major &&
		    r->current_minor == r->committed_minor &&
		    r->current_build == r->committed_build;

	verdict_checkf(v, rule->check, same || p->allow_provisional,
		       p->allow_provisional ? "either" : "the committed firmware",
		       "firmware %u.%u.%u, committed %u.%u.%u", r->current_major, r->current_minor,
		       r->current_build, r->committed_major, r->committed_minor,
		       r->committed_build);
}

static void check_floor(const struct snp_judge_rule *rule, const struct snp_tcb *tcb,
			const struct snp_tcb *floor, struct verdict *v)
{
	char found[SNP_TCB_TEXT_MAX], limit[SNP_TCB_TEXT_MAX], wanted[SNP_TCB_TEXT_MAX + 16];

	snp_tcb_text(tcb, found);
	snp_tcb_text(floor, limit);
	snprintf(wanted, sizeof(wanted), "at least %s", limit);
	verdict_check(v, rule->check, snp_tcb_at_least(tcb, floor), found, wanted);
}

/* The certificate's word, not the report's. */
void snp_judge_min_tcb(const struct snp_judge_rule *rule, const struct snp_policy *p,
		       const struct snp_evidence *ev, struct verdict *v)
{
	static const struct snp_tcb none;

	check_floor(rule, &ev->tcb, &p->min_tcb, v);
	/* The keys of old firmware stay certified for ever, whatever became of them. */
	if (snp_tcb_at_least(&none, &p->min_tcb))
		verdict_note(v, NOTE_NO_TCB_FLOOR,
			     "the policy names no TCB floor (min_tcb): the key of any firmware, "
			     "however old, will do");
}

void snp_judge_launch_tcb(const struct snp_judge_rule *rule, const struct snp_policy *p,
			  const struct snp_evidence *ev, struct verdict *v)
{
	struct snp_tcb tcb = snp_tcb_of(ev->report->launch_tcb, ev->product);

	struct snp_tcb floor = p->min_tcb;

	/* Naming one component leaves the others their floors; the one named may be lower than min_tcb's. */
	snp_tcb_replace(&floor, &p->min_launch_tcb, p->launch_floors);
	check_floor(rule, &tcb, &floor, v);
}

void snp_judge_build(const struct snp_judge_rule *rule, const struct snp_policy *p,
		     const struct snp_evidence *ev, struct verdict *v)
{
	verdict_at_least(v, rule->check, ev->report->current_build, p->min_build);
}

void snp_judge_api_version(const struct snp_judge_rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	const struct snp_report *r = ev->report;
	unsigned found = (unsigned)r->current_major << 8 | r->current_minor;
	unsigned floor = (unsigned)p->min_api_major << 8 | p->min_api_minor;
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "at least %u.%u", p->min_api_major, p->min_api_minor);
	verdict_checkf(v, rule->check, found >= floor, wanted, "%u.%u", r->current_major,
		       r->current_minor);
}

void snp_judge_firmware(const struct snp_judge_rule *rule, const struct snp_policy *p,
			const struct snp_evidence *ev, struct verdict *v)
{
	const struct snp_report *r = ev->report;
	const uint8_t *m = p->min_firmware;
	unsigned found = (unsigned)r->current_major << 16 | (unsigned)r->current_minor << 8 |
			 r->current_build;
	unsigned floor = (unsigned)m[0] << 16 | (unsigned)m[1] << 8 | m[2];
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "at least %u.%u.%u", m[0], m[1], m[2]);
	verdict_checkf(v, rule->check, found >= floor, wanted, "%u.%u.%u", r->current_major,
		       r->current_minor, r->current_build);
}

static void check_mitigations(const struct snp_judge_rule *rule, uint64_t found, uint64_t wanted,
			      struct verdict *v)
{
	char text[48];

	snprintf(text, sizeof(text), "0x%" PRIx64 " set", wanted);
	verdict_checkf(v, rule->check, (wanted & ~found) == 0, text, "0x%" PRIx64, found);
}

void snp_judge_launch_mitigations(const struct snp_judge_rule *rule, const struct snp_policy *p,
				  const struct snp_evidence *ev, struct verdict *v)
{
	check_mitigations(rule, ev->report->launch_mit_vector, p->launch_mit_vector, v);
}

void snp_judge_current_mitigations(const struct snp_judge_rule *rule, const struct snp_policy *p,
				   const struct snp_evidence *ev, struct verdict *v)
{
	check_mitigations(rule, ev->report->current_mit_vector, p->current_mit_vector, v);
}
