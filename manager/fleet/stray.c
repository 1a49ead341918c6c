/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/fleet/stray.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "manager/fleet/by_id.h"
#include "manager/launch/boot_files.h"
#include "manager/registry/registry_lease.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { SLOT_DIGITS = 5 };
_Static_assert(REGISTRY_ROWS_MAX <= 100000, "slots have so many digits");

DEFINE_CLEANUP(DIR *, closedir)

/* One that was found, by its id: there may be as many as there are CVMs. */
struct node {
	struct stray stray;
	UT_hash_handle hh;
};

struct list {
	struct node *all;
};

static void list_done(struct list *list)
{
	struct node *node, *next;

	HASH_ITER(hh, list->all, node, next)
	{
		HASH_DEL(list->all, node);
		free(node);
	}
}
#define CLEANUP_LIST __attribute__((cleanup(list_done)))

static struct stray *find(const struct list *list, const char *id)
{
	struct node *found;

	HASH_FIND_STR(list->all, id, found);
	return found ? &found->stray : NULL;
}

/* The one of that name, added if it is not there. */
static struct stray *take(struct list *list, const char *name, struct err *e)
{
	bool is_id = cvm_id_is_valid(name);
	struct log_quoted quoted = log_quote(name);
	const char *id = is_id ? name : quoted.text;
	struct stray *found = find(list, id);
	struct node *node;

	if (found)
		return found;
	node = calloc(1, sizeof(*node));
	if (node) {
		node->stray.is_id = is_id;
		snprintf(node->stray.id, sizeof(node->stray.id), "%s", id);
		HASH_ADD_STR(list->all, stray.id, node);
	}
	found = find(list, id);
	if (!found) {
		free(node);
		err_nomem(e);
	}
	return found;
}

static struct stray *take_folder(struct list *list, const char *name, struct err *e)
{
	if (HASH_COUNT(list->all) < STRAY_FOLDERS_MAX)
		return take(list, name, e);
	err_set(e, ERR_EXHAUSTED, "more than %d folders", STRAY_FOLDERS_MAX);
	return NULL;
}

static int record_path(const struct lifecycle *l, const char *id, char **path, struct err *e)
{
	return text_format(path, e, "%s/cvms/%s/" LIFECYCLE_RECORD, l->config->state_dir, id);
}

static int add_folder(const struct lifecycle *l, struct list *list, const char *name, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	struct stray *stray = take_folder(list, name, e);
	struct stat st;

	if (!stray || record_path(l, name, &path, e) < 0)
		return err_code(e);
	stray->folder = true;
	stray->recorded = stray->is_id && lstat(path, &st) == 0 && S_ISREG(st.st_mode);
	return 0;
}

/* Other programs have folders in there, too: /run/cocos. */
static int add_secrets(struct list *list, const char *name, struct err *e)
{
	struct stray *stray;

	if (!cvm_id_is_valid(name))
		return 0;
	stray = take_folder(list, name, e);
	if (!stray)
		return err_code(e);
	stray->secrets = true;
	return 0;
}

static int scan(const struct lifecycle *l, struct list *list, const char *path, bool secrets,
		struct err *e)
{
	CLEANUP(closedir) DIR *dir = opendir(path);
	const struct dirent *entry;
	int more;

	if (!dir)
		return err_errno(e, "'%s'", path);
	while ((more = dir_next(dir, &entry, e)) > 0) {
		const char *name = entry->d_name;

		if ((secrets ? add_secrets(list, name, e) : add_folder(l, list, name, e)) < 0)
			return err_code(e);
	}
	return more < 0 ? err_wrap(e, "'%s'", path) : 0;
}

bool stray_slot(const char *domain, unsigned *slot)
{
	size_t prefix = strlen(LIFECYCLE_ANY_PREFIX), tag = REGISTRY_TAG_LEN;
	const char *number;
	char *end;
	unsigned long value;

	if (strncmp(domain, LIFECYCLE_ANY_PREFIX, prefix) != 0 ||
	    strspn(domain + prefix, "0123456789abcdef") != tag || domain[prefix + tag] != '-')
		return false;
	number = domain + prefix + tag + 1;
	if (*number < '0' || *number > '9' || strlen(number) > SLOT_DIGITS)
		return false;
	value = strtoul(number, &end, 10);
	if (*end || value >= REGISTRY_ROWS_MAX)
		return false;
	*slot = (unsigned)value;
	return true;
}

/* The host that its record names; NULL: it has none that can be read, or that host is none of ours. */
static const struct vm_host *recorded_host(const struct lifecycle *l, const struct stray *stray)
{
	CLEANUP(free) struct cvm *cvm = NULL;
	CLEANUP(free) char *path = NULL;
	struct err e;

	if (!stray->recorded)
		return NULL;
	cvm = malloc(sizeof(*cvm));
	return cvm && record_path(l, stray->id, &path, &e) == 0 &&
			       registry_saved(path, stray->id, cvm, &e) == 0
		       ? vm_hosts_find(l->hosts, cvm->host)
		       : NULL;
}

/* Two hosts say that they have it: one of them is wrong, or lies, and its record knows which. */
static bool is_elsewhere(const struct lifecycle *l, const struct stray *stray,
			 const struct virt_domain *domain)
{
	return *stray->domain && strcmp(stray->host, domain->host) != 0 &&
	       recorded_host(l, stray) != vm_hosts_find(l->hosts, domain->host);
}

/* What was added of the host whose domains are gone through. */
struct share {
	const char *host;
	size_t taken;
	bool is_over;
};

/* Whether one more of that host that has no folder is looked at. */
static bool has_share(struct share *share, const struct virt_domain *domain, struct strays *found)
{
	if (!share->host || strcmp(share->host, domain->host) != 0)
		*share = (struct share){ .host = domain->host };
	if (share->taken < STRAYS_OF_HOST_MAX) {
		share->taken++;
		return true;
	}
	if (!share->is_over && found->over_count < HOSTS_MAX)
		memcpy(found->over[found->over_count++], domain->host, sizeof(domain->host));
	share->is_over = true;
	return false;
}

static int add_domain(const struct lifecycle *l, struct list *list, struct share *share,
		      const struct virt_domain *domain, struct strays *found, struct err *e)
{
	bool has_folder = find(list, domain->uuid);
	char prefix[LIFECYCLE_NAME_MAX];
	const struct vm_host *host;
	struct stray *stray;
	unsigned slot;

	lifecycle_prefix(l, prefix);
	if (strncmp(domain->name, prefix, strlen(prefix)) != 0 &&
	    !(stray_slot(domain->name, &slot) && has_folder))
		return 0;
	if (!has_folder && !has_share(share, domain, found))
		return 0;
	stray = take(list, domain->uuid, e);
	if (!stray)
		return err_code(e);
	if (is_elsewhere(l, stray, domain))
		return 0;
	snprintf(stray->domain, sizeof(stray->domain), "%s", domain->name);
	memcpy(stray->host, domain->host, sizeof(stray->host));
	host = vm_hosts_find(l->hosts, domain->host);
	stray->remote = host && !host->is_local;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct stray *)a)->id, ((const struct stray *)b)->id);
}

static int flatten(const struct list *list, struct strays *found, struct err *e)
{
	size_t n = HASH_COUNT(list->all);
	struct stray *flat = calloc(n + 1, sizeof(*flat));

	if (!flat)
		return err_nomem(e);
	n = 0;
	for (const struct node *node = list->all; node; node = node->hh.next)
		flat[n++] = node->stray;
	qsort(flat, n, sizeof(*flat), compare);
	found->all = flat;
	found->count = n;
	return 0;
}

int stray_find(const struct lifecycle *l, const struct virt_domain *domains, size_t domain_count,
	       struct strays *found, struct err *e)
{
	struct share share = { .host = NULL };
	CLEANUP(free) char *cvms = NULL;
	CLEANUP_LIST struct list list = { .all = NULL };

	if (text_format(&cvms, e, "%s/cvms", l->config->state_dir) < 0 ||
	    scan(l, &list, cvms, false, e) < 0 ||
	    scan(l, &list, l->config->secrets_dir, true, e) < 0)
		return err_code(e);
	found->over_count = 0;
	for (size_t i = 0; i < domain_count; i++)
		if (add_domain(l, &list, &share, &domains[i], found, e) < 0)
			return err_code(e);
	return flatten(&list, found, e);
}

bool stray_has_folder(const struct lifecycle *l, const char *id)
{
	CLEANUP(free) char *state = NULL, *secrets = NULL;
	struct stat st;
	struct err e;

	if (text_format(&state, &e, "%s/cvms/%s", l->config->state_dir, id) < 0 ||
	    text_format(&secrets, &e, "%s/%s", l->config->secrets_dir, id) < 0)
		return true;
	return lstat(state, &st) == 0 || lstat(secrets, &st) == 0;
}

/* As libvirt and the folders are now. ERR_NOT_FOUND if nothing has that id. */
static int look_up(const struct lifecycle *l, const char *id, struct stray *stray, struct err *e)
{
	CLEANUP(free) struct virt_domain *domains = NULL;
	CLEANUP_STRAYS struct strays found = { .all = NULL };
	size_t domain_count;

	if (!cvm_id_is_valid(id))
		return err_set(e, ERR_NOT_FOUND, "no CVM %s", log_quote(id).text);
	if (vm_hosts_list(l->hosts, LIFECYCLE_ANY_PREFIX, &domains, &domain_count, e) < 0 ||
	    stray_find(l, domains, domain_count, &found, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < found.count; i++)
		if (found.all[i].is_id && strcmp(found.all[i].id, id) == 0) {
			*stray = found.all[i];
			return 0;
		}
	return err_set(e, ERR_NOT_FOUND, "no CVM %s", log_quote(id).text);
}

/* Another manager that has taken the host may have adopted it since it was looked up. */
static int remove_from(const struct lifecycle *l, const struct vm_host *host,
		       const struct stray *stray, struct err *e)
{
	int failed;

	if (vm_host_enter(host, e) < 0)
		return err_code(e);
	failed = registry_lease_check(l->registry, host->row.name, e);
	if (!failed && *stray->domain)
		failed = virt_stop(host->virt, stray->id, e);
	if (!failed && !host->is_local)
		failed = boot_files_take_back(host, stray->id, e);
	vm_host_leave(host);
	return failed;
}

int stray_check(const struct stray *stray, struct err *e)
{
	unsigned slot;

	if (!stray->is_id)
		return err_set(e, ERR_PRECONDITION, "%s is no CVM's", stray->id);
	if (!*stray->domain)
		return err_set(e, ERR_PRECONDITION,
			       "CVM %s has no machine that runs: it can only be removed",
			       stray->id);
	if (!stray_slot(stray->domain, &slot))
		return err_set(e, ERR_PRECONDITION,
			       "CVM %s: its domain '%s' says no slot: it can only be removed",
			       stray->id, stray->domain);
	if (!stray->recorded || (!stray->secrets && !stray->remote))
		return err_set(
			e, ERR_PRECONDITION,
			"of CVM %s there is no %s any more: it can only be removed", stray->id,
			stray->recorded ? "folder in MANAGER_SECRETS_DIR" : LIFECYCLE_RECORD);
	return 0;
}

/* A machine of that id on another host is not the one that was launched, whatever that host says; nor where the host that
 * its record names is not there any more: any other could say that it has it. */
static int check_host(const struct lifecycle *l, const struct stray *stray, const struct cvm *cvm,
		      struct err *e)
{
	const struct vm_host *recorded = vm_hosts_find(l->hosts, cvm->host);

	if (!recorded)
		return err_set(
			e, ERR_PRECONDITION,
			"CVM %s: its record says host %s, which is none now: add it by that name, "
			"or remove the CVM",
			stray->id, *cvm->host ? cvm->host : HOST_LOCAL_URI);
	if (recorded == vm_hosts_find(l->hosts, stray->host))
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "CVM %s: its record says host %s, and a domain of its id is on host %s: it "
		       "can only be removed",
		       stray->id, recorded->row.name, stray->host);
}

int stray_read(const struct lifecycle *l, const char *id, struct cvm *cvm, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	struct stray stray;
	unsigned slot;

	if (look_up(l, id, &stray, e) < 0 || stray_check(&stray, e) < 0 ||
	    record_path(l, id, &path, e) < 0)
		return err_code(e);
	if (registry_saved(path, id, cvm, e) < 0)
		return err_wrap(e, "'%s'", path);
	if (!stray_slot(stray.domain, &slot) || slot != cvm->slot)
		return err_set(
			e, ERR_PRECONDITION,
			"CVM %s: its record says slot %u, its domain is '%s': it can only be "
			"removed",
			id, cvm->slot, stray.domain);
	if (check_host(l, &stray, cvm, e) < 0)
		return err_code(e);
	cvm->step = CVM_RUNNING;
	memcpy(cvm->host, stray.host, sizeof(cvm->host));
	return 0;
}

/* That of its domain; or else the one that its record names, if it can be read. */
static const struct vm_host *host_of(const struct lifecycle *l, const struct stray *stray)
{
	return *stray->domain || !stray->recorded ? vm_hosts_find(l->hosts, stray->host)
						  : recorded_host(l, stray);
}

int stray_remove(const struct lifecycle *l, const char *id, struct err *e)
{
	const struct vm_host *host;
	struct stray stray;

	if (look_up(l, id, &stray, e) < 0)
		return err_code(e);
	host = host_of(l, &stray);
	if (host && remove_from(l, host, &stray, e) < 0)
		return err_code(e);
	return lifecycle_remove_folders(l, id, e);
}
