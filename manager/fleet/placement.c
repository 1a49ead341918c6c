/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/fleet/placement.h"

#include <string.h>

/* Why a host does not take a CVM; the first that holds. */
enum reason { TAKES, DRAINING, TWIN, OTHER_TEE, LOST, CROWDED, CPUS, MEMORY, MACHINES, REASONS };

static bool any_says_tee(const struct placement_host *hosts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (hosts[i].said[DOMAIN_SNP] || hosts[i].said[DOMAIN_TDX])
			return true;
	return false;
}

int placement_tees(const struct config *config, enum config_tee wish,
		   const struct placement_host *hosts, size_t count, bool tees[HOST_TEES],
		   struct err *e)
{
	enum config_tee wanted = config->wanted == CONFIG_TEE_AUTO ? wish : config->wanted;
	bool has_tee = any_says_tee(hosts, count);

	/* An emulator simulates it, on any host. */
	bool plain = config_simulates(config) || wanted == CONFIG_TEE_NONE ||
		     (wanted == CONFIG_TEE_AUTO && !has_tee && config->allow_plain);

	if (wanted == CONFIG_TEE_AUTO && !has_tee && !plain)
		return err_set(
			e, ERR_PRECONDITION,
			"no host of MANAGER_HOSTS has SEV-SNP or TDX: for CVMs that nothing protects "
			"from their host, set MANAGER_TEE=none or MANAGER_ALLOW_PLAIN=true");
	memset(tees, 0, HOST_TEES * sizeof(*tees));
	tees[DOMAIN_PLAIN] = plain;
	tees[DOMAIN_SNP] = !plain && (wanted == CONFIG_TEE_SNP || wanted == CONFIG_TEE_AUTO);
	tees[DOMAIN_TDX] = !plain && (wanted == CONFIG_TEE_TDX || wanted == CONFIG_TEE_AUTO);
	return 0;
}

static bool has_any(const bool has[HOST_TEES], const bool wished[HOST_TEES])
{
	for (size_t t = 0; t < HOST_TEES; t++)
		if (has[t] && wished[t])
			return true;
	return false;
}

static bool fits(uint64_t has, uint64_t used, uint64_t wants)
{
	return !has || (used <= has && wants <= has - used);
}

static enum reason look(const struct placement_host *h, const struct placement_wish *wish)
{
	if (h->draining)
		return DRAINING;
	if (h->is_twin)
		return TWIN;
	if (!has_any(h->said, wish->tees))
		return OTHER_TEE;
	if (!h->is_there)
		return LOST;
	if (!has_any(h->tees, wish->tees))
		return OTHER_TEE;
	if (h->is_crowded)
		return CROWDED;
	if (!fits(h->has.cpus, h->used.cpus, wish->cpus))
		return CPUS;
	if (!fits(h->has.memory, h->used.memory, wish->memory))
		return MEMORY;
	return fits(h->has.machines, h->used.machines, 1) ? TAKES : MACHINES;
}

struct share {
	uint64_t used, has;
};

/* a's part is the larger one. */
static bool is_more(struct share a, struct share b)
{
	return (unsigned __int128)a.used * b.has > (unsigned __int128)b.used * a.has;
}

static struct share larger(struct share a, struct share b)
{
	return is_more(b, a) ? b : a;
}

/* How much of what it has most of would be used with the CVM; what has no limit does not count. */
static struct share fullness(const struct placement_host *h, const struct placement_wish *wish)
{
	struct share most = { 0, 1 };

	if (h->has.cpus)
		most = larger(most, (struct share){ h->used.cpus + wish->cpus, h->has.cpus });
	if (h->has.memory)
		most = larger(most, (struct share){ h->used.memory + wish->memory, h->has.memory });
	if (h->has.machines)
		most = larger(most, (struct share){ h->used.machines + 1, h->has.machines });
	return most;
}

/* Then the one with fewer machines, then the first of the table. */
static bool is_better(const struct placement_host *a, const struct placement_host *b,
		      const struct placement_wish *wish)
{
	struct share of_a = fullness(a, wish), of_b = fullness(b, wish);

	if (is_more(of_a, of_b) || is_more(of_b, of_a))
		return is_more(of_b, of_a);
	return a->used.machines < b->used.machines;
}

/* "no host takes this CVM: 1 is draining, 2 have too little memory left" */
static int refuse(const unsigned counts[REASONS], struct err *e)
{
	static const char *const words[REASONS] = {
		[DRAINING] = "draining",
		[TWIN] = "the same machine as another",
		[OTHER_TEE] = "without the TEE",
		[LOST] = "not reachable now",
		[CROWDED] = "full of machines without a record ('cocos-cli vm strays')",
		[CPUS] = "with too few cpus left",
		[MEMORY] = "with too little memory left",
		[MACHINES] = "with as many CVMs as it may have",
	};
	char text[ERR_TEXT_MAX] = "";
	size_t at = 0;

	for (size_t r = DRAINING; r < REASONS; r++)
		if (counts[r] && at < sizeof(text))
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u %s",
					       at ? ", " : "", counts[r], words[r]);
	return err_set(e,
		       counts[CROWDED] + counts[CPUS] + counts[MEMORY] + counts[MACHINES]
			       ? ERR_EXHAUSTED
		       : counts[LOST] ? ERR_UNAVAILABLE
				      : ERR_PRECONDITION,
		       "no host of MANAGER_HOSTS takes this CVM: %s", text);
}

int placement_choose(const struct placement_host *hosts, size_t count,
		     const struct placement_wish *wish, size_t *chosen, struct err *e)
{
	unsigned counts[REASONS] = { 0 };
	const struct placement_host *best = NULL;

	for (size_t i = 0; i < count; i++) {
		enum reason reason = look(&hosts[i], wish);

		counts[reason]++;
		if (reason == TAKES && (!best || is_better(&hosts[i], best, wish)))
			best = &hosts[i];
	}
	if (!best)
		return refuse(counts, e);
	*chosen = (size_t)(best - hosts);
	return 0;
}

enum domain_tee placement_tee(const struct placement_host *host, const struct placement_wish *wish)
{
	size_t t = HOST_TEES - 1;

	while (t > DOMAIN_PLAIN && !(host->tees[t] && wish->tees[t]))
		t--;
	return (enum domain_tee)t;
}
