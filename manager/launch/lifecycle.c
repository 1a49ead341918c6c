/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/lifecycle.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "manager/launch/admission.h"
#include "manager/launch/boot_files.h"
#include "manager/launch/host_check.h"
#include "manager/launch/launch_policy.h"
#include "manager/launch/tee.h"
#include "manager/registry/registry_lease.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define ROLE_SIGNATURE_WORD "cocos.role_signature"

/* Folders and files of one CVM. */
struct paths {
	char *state, *console, *record, *secrets, *disk, *env, *certs;
};

static void paths_done(struct paths *paths)
{
	free(paths->state);
	free(paths->console);
	free(paths->record);
	free(paths->secrets);
	free(paths->disk);
	free(paths->env);
	free(paths->certs);
}
#define CLEANUP_PATHS __attribute__((cleanup(paths_done)))

static int paths_init(struct paths *p, const struct config *config, const char *id, struct err *e)
{
	if (text_format(&p->state, e, "%s/cvms/%s", config->state_dir, id) < 0 ||
	    text_format(&p->console, e, "%s/" LIFECYCLE_CONSOLE, p->state) < 0 ||
	    text_format(&p->record, e, "%s/" LIFECYCLE_RECORD, p->state) < 0 ||
	    text_format(&p->secrets, e, "%s/%s", config->secrets_dir, id) < 0 ||
	    text_format(&p->disk, e, "%s/boot.img", p->secrets) < 0 ||
	    text_format(&p->env, e, "%s/env", p->secrets) < 0 ||
	    text_format(&p->certs, e, "%s/certs", p->secrets) < 0)
		return err_code(e);
	return 0;
}

int lifecycle_check_memory(const struct config *config, const struct image *image, struct err *e)
{
	if (config->memory >> 20 < image->min_memory_mib)
		return err_set(e, ERR_INVALID, "MANAGER_MEMORY: the image needs %llu MiB or more",
			       (unsigned long long)image->min_memory_mib);
	return 0;
}

/* The default, as it is now: if it was rebuilt since, it is read and checked again. */
static int open_default(const struct config *config, struct images *images, struct images_one **one,
			struct err *e)
{
	struct images_one *it;

	if (images_choose(images, "", &it, e) < 0 ||
	    lifecycle_check_memory(config, it->image, e) < 0)
		return err_code(e);
	*one = it;
	return 0;
}

int lifecycle_open_image(const struct config *config, struct image **image, struct err *e)
{
	struct images images;
	struct images_one *one;
	int failed;

	images_init(&images, config->image_dir);
	pthread_mutex_lock(&images.lock);
	failed = open_default(config, &images, &one, e);
	if (!failed)
		*image = TAKE_PTR(one->image);
	pthread_mutex_unlock(&images.lock);
	images_done(&images);
	return failed;
}

int lifecycle_init(struct lifecycle *l, const struct config *config, struct registry *registry,
		   struct vm_hosts *hosts, struct ports *ports, struct err *e)
{
	*l = (struct lifecycle){
		.config = config, .registry = registry, .hosts = hosts, .ports = ports
	};
	images_init(&l->images, config->image_dir);
	if (lifecycle_check_image(l, e) < 0) {
		images_done(&l->images);
		return err_code(e);
	}
	pthread_mutex_init(&l->disk, NULL);
	return 0;
}

void lifecycle_done(struct lifecycle *l)
{
	if (!l->images.dir)
		return;
	images_done(&l->images);
	pthread_mutex_destroy(&l->disk);
}

/* What of the image a launch needs. */
struct launch {
	char *kernel, *initrd, *root, *cmdline;
	bool boot_disk;             /* else shares */
	char volume[VIRT_PATH_MAX]; /* the boot disk on another host */
	char folder[IMAGES_FOLDER_MAX + 1];
	bool holds;
	struct vm_host *at;
	struct virt_host host;
};

static void launch_done(struct launch *launch)
{
	free(launch->kernel);
	free(launch->initrd);
	free(launch->root);
	free(launch->cmdline);
}
#define CLEANUP_LAUNCH __attribute__((cleanup(launch_done)))

void lifecycle_image_name(struct lifecycle *l, char name[IMAGE_NAME_MAX])
{
	if (pthread_mutex_trylock(&l->images.lock) != 0)
		return;
	memcpy(name, l->images.last, sizeof(l->images.last));
	pthread_mutex_unlock(&l->images.lock);
}

int lifecycle_check_image(struct lifecycle *l, struct err *e)
{
	struct images_one *one;
	int failed;

	pthread_mutex_lock(&l->images.lock);
	failed = open_default(l->config, &l->images, &one, e);
	pthread_mutex_unlock(&l->images.lock);
	return failed;
}

static int read_image(struct lifecycle *l, const struct image *image, struct cvm *cvm,
		      struct launch *launch, struct err *e)
{
	const char *word = l->config->allow_role_signature ? ROLE_SIGNATURE_WORD : NULL;

	if (image_cmdline(image, word, &launch->cmdline, e) < 0)
		return err_code(e);
	launch->kernel = strdup(image->kernel.path);
	launch->initrd = strdup(image->initrd.path);
	launch->root = image->root.path ? strdup(image->root.path) : NULL;
	if (!launch->kernel || !launch->initrd || (image->root.path && !launch->root))
		return err_nomem(e);
	launch->boot_disk = image->boot_disk;
	image_name(image, cvm->image);
	snprintf(cvm->cmdline, sizeof(cvm->cmdline), "%s", launch->cmdline);
	return 0;
}

/* A launch whose measurement we can't compute continues: an owner may be able to. */
static void expect(const struct lifecycle *l, struct images_one *one, struct cvm *cvm)
{
	struct err e;

	if (launch_policy_compute(one->image, l->config, &one->boot, cvm, &e) < 0)
		snprintf(cvm->expected, sizeof(cvm->expected), "%s", e.text);
}

/* Room on the disk, which no other creation is given until leave_disk(). */
static int take_disk(struct lifecycle *l, struct err *e)
{
	int failed;

	pthread_mutex_lock(&l->disk);
	failed = admission_check_disk(l->config, l->creating, e);
	if (!failed)
		l->creating++;
	pthread_mutex_unlock(&l->disk);
	return failed;
}

static void leave_disk(struct lifecycle *l)
{
	pthread_mutex_lock(&l->disk);
	l->creating--;
	pthread_mutex_unlock(&l->disk);
}

/* The image that is asked for, or else the default; it stays as long as it is being launched (put_back()). What is wrong
 * with the default is a matter of the host, and with another one of the request. */
static int take_image(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
		      struct launch *launch, struct err *e)
{
	struct images_one *one;

	if (images_choose(&l->images, request->image, &one, e) < 0)
		return *request->image && e->code == ERR_INVALID
			       ? err_code(e)
			       : host_check_named(HOST_CHECK_IMAGE, e);
	if (read_image(l, one->image, cvm, launch, e) < 0)
		return host_check_named(HOST_CHECK_IMAGE, e);
	if (cvm->memory >> 20 < one->image->min_memory_mib)
		return err_set(e, ERR_INVALID, "memory: %llu MiB, and the image needs %llu or more",
			       (unsigned long long)cvm->memory >> 20,
			       (unsigned long long)one->image->min_memory_mib);
	memcpy(launch->folder, one->name, sizeof(launch->folder));
	launch->holds = true;
	one->launches++;
	expect(l, one, cvm);
	return 0;
}

static void put_back(struct lifecycle *l, const struct launch *launch)
{
	if (!launch->holds)
		return;
	pthread_mutex_lock(&l->images.lock);
	for (size_t i = 0; i < IMAGES_OPEN_MAX; i++)
		if (l->images.all[i].launches && strcmp(l->images.all[i].name, launch->folder) == 0)
			l->images.all[i].launches--;
	pthread_mutex_unlock(&l->images.lock);
}

/* What it can do, of what its row says that it may. */
static int choose_tee(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
		      struct launch *launch, struct err *e)
{
	const struct host_row *row = &launch->at->row;

	if (virt_host(launch->at->virt, &launch->host, e) < 0)
		return host_check_named(HOST_CHECK_LIBVIRT, e);
	launch->host.snp = launch->host.snp && row->tees[DOMAIN_SNP];
	launch->host.tdx = launch->host.tdx && row->tees[DOMAIN_TDX];
	if (tee_choose(l->config, request->tee, &launch->host, cvm, e) < 0)
		return host_check_named(HOST_CHECK_TEE, e);
	if (!config_simulates(l->config) && !row->tees[cvm->tee])
		return err_set(e, ERR_PRECONDITION, "MANAGER_HOSTS does not list tee %s",
			       domain_tee_name(cvm->tee));
	return 0;
}

static int prepare(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
		   struct launch *launch, struct err *e)
{
	struct bootconfig_digests digests;
	int failed;

	if (vm_hosts_get(l->hosts, cvm->host, &launch->at, e) < 0)
		return err_code(e);
	if (choose_tee(l, request, cvm, launch, e) < 0)
		return vm_host_wrap(launch->at, e);
	if (bootconfig_digest(&request->boot, &digests, e) < 0)
		return err_code(e);
	memcpy(cvm->boot_sha3_256, digests.sha3_256, sizeof(digests.sha3_256));
	memcpy(cvm->boot_sha3_384, digests.sha3_384, sizeof(digests.sha3_384));
	pthread_mutex_lock(&l->images.lock);
	failed = take_image(l, request, cvm, launch, e);
	pthread_mutex_unlock(&l->images.lock);
	if (!failed && !launch->at->is_local && !launch->boot_disk)
		return err_set(
			e, ERR_PRECONDITION,
			"host %s is another machine, and image %s takes its boot configuration "
			"from folders of this one: take an image with a boot disk",
			launch->at->row.name, cvm->image);
	return failed;
}

/* In the form that the image takes. */
static struct boot_paths boot_paths(const struct paths *p, const struct launch *launch)
{
	if (!launch->at->is_local)
		return (struct boot_paths){ .disk = launch->volume };
	if (launch->boot_disk)
		return (struct boot_paths){ .folder = p->secrets, .disk = p->disk };
	return (struct boot_paths){ .folder = p->secrets, .env = p->env, .certs = p->certs };
}

static int make_files(struct lifecycle *l, const struct paths *p, const struct cvm_request *request,
		      const struct cvm *cvm, struct launch *launch, struct err *e)
{
	struct boot_paths boot = boot_paths(p, launch);

	if (registry_lease_check(l->registry, cvm->host, e) < 0)
		return err_code(e);
	if (mkdir(p->state, 0700) < 0)
		return err_errno(e, "make '%s'", p->state);
	if (!launch->at->is_local)
		return boot_files_send(launch->at, cvm->id, &request->boot, launch->volume, e);
	return boot_files_make(&boot, &request->boot, &launch->host, e);
}

static int set_step(struct lifecycle *l, struct cvm *cvm, enum cvm_step step, struct err *e)
{
	if (registry_set_step(l->registry, cvm->id, step, e) < 0)
		return err_code(e);
	cvm->step = step;
	return 0;
}

static int start_domain(struct lifecycle *l, const struct cvm *cvm, const struct launch *launch,
			const struct paths *paths, struct err *e)
{
	CLEANUP(free) char *xml = NULL;
	CLEANUP_TEE_TEXTS struct tee_texts texts = { 0 };
	struct boot_paths boot = boot_paths(paths, launch);
	char name[LIFECYCLE_NAME_MAX];
	struct domain_spec spec = {
		.name = name,
		.uuid = cvm->id,
		.memory_kib = cvm->memory >> 10,
		.cpus = cvm->cpus,
		.emulator = l->config->emulator,
		.kernel = launch->kernel,
		.initrd = launch->initrd,
		.cmdline = launch->cmdline,
		.root = launch->root,
		.boot_disk = boot.disk,
		.env_dir = boot.env,
		.certs_dir = boot.certs,
		.console = launch->at->is_local ? paths->console : NULL,
	};

	lifecycle_name(l, cvm->slot, name);
	if (tee_fill(l->config, &launch->host, cvm, &spec, &texts, e) < 0 ||
	    domain_xml_write(&spec, &xml, e) < 0 ||
	    registry_lease_check(l->registry, cvm->host, e) < 0)
		return err_code(e);
	return virt_start(launch->at->virt, xml, e);
}

static int take_port(struct lifecycle *l, const struct vm_host *host, uint16_t *port, struct err *e)
{
	return host->is_local ? ports_take(l->ports, port, e)
			      : ports_take_remote(l->ports, port, e);
}

/* Somebody else may have taken the port since it was checked; then we take another one. */
static int forward(struct lifecycle *l, struct cvm *cvm, const struct vm_host *host, struct err *e)
{
	const char *address = host->is_local ? l->config->forward_host : host->row.address;

	for (int i = 0; i < LIFECYCLE_FORWARD_TRIES; i++) {
		uint16_t lost = cvm->port, port;

		if (registry_lease_check(l->registry, cvm->host, e) < 0)
			return err_code(e);
		if (virt_forward(host->virt, cvm->id, address, cvm->port, LIFECYCLE_AGENT_PORT,
				 e) == 0)
			return 0;
		if (e->code != ERR_EXISTS || take_port(l, host, &port, e) < 0)
			return err_code(e);
		if (registry_set_port(l->registry, cvm->id, port, e) < 0) {
			ports_give(l->ports, port);
			return err_code(e);
		}
		cvm->port = port;
		ports_give(l->ports, lost);
	}
	return err_set(e, ERR_EXHAUSTED, "no port could be forwarded: other programs took them");
}

/* All steps after the first record; lifecycle_remove() can undo each of them. */
static int take_steps(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
		      struct launch *launch, struct err *e)
{
	CLEANUP_PATHS struct paths paths = { 0 };

	if (paths_init(&paths, l->config, cvm->id, e) < 0 ||
	    make_files(l, &paths, request, cvm, launch, e) < 0 ||
	    set_step(l, cvm, CVM_DOMAIN, e) < 0 || start_domain(l, cvm, launch, &paths, e) < 0 ||
	    set_step(l, cvm, CVM_FORWARD, e) < 0 || forward(l, cvm, launch->at, e) < 0 ||
	    registry_save(l->registry, paths.record, cvm, e) < 0)
		return err_code(e);
	return set_step(l, cvm, CVM_RUNNING, e);
}

/* Where nobody knows whether it was recorded, the step says so: its removal finds out. */
static int record(struct lifecycle *l, struct cvm *cvm, struct err *e)
{
	cvm->step = CVM_FILES;
	if (registry_add(l->registry, cvm, e) == 0)
		return 0;
	if (e->code != ERR_UNKNOWN) {
		ports_give(l->ports, cvm->port);
		cvm->step = 0;
	}
	return e->code == ERR_EXHAUSTED ? host_check_named(HOST_CHECK_STATE, e) : err_code(e);
}

static int create(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
		  struct launch *launch, struct err *e)
{
	struct err undo;

	if (prepare(l, request, cvm, launch, e) < 0)
		return err_code(e);
	if (take_port(l, launch->at, &cvm->port, e) < 0)
		return host_check_named(HOST_CHECK_PORTS, e);
	if (record(l, cvm, e) == 0 && take_steps(l, request, cvm, launch, e) == 0)
		return 0;
	if (!cvm->step)
		return err_code(e);
	(void)!vm_host_wrap(launch->at, e);
	cvm->why = CVM_FAILED;
	if (lifecycle_remove(l, cvm, true, &undo) == 0)
		cvm->step = 0;
	return err_code(e);
}

int lifecycle_create(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
		     struct err *e)
{
	CLEANUP_LAUNCH struct launch launch = { 0 };
	int failed;

	cvm->step = 0;
	if (take_disk(l, e) < 0)
		return host_check_named(HOST_CHECK_STATE, e);
	failed = create(l, request, cvm, &launch, e);
	put_back(l, &launch);
	leave_disk(l);
	return failed;
}

/* Where no step can be recorded because the disk is full, what must not go on is ended all the same: a
 * manager that reads the older step does it once more. Without a record there is no step to be kept. */
static int set_last_step(struct lifecycle *l, struct cvm *cvm, enum cvm_step step, bool insist,
			 struct err *e)
{
	if (set_step(l, cvm, step, e) < 0 && e->code != ERR_NOT_FOUND &&
	    !(insist && e->code == ERR_EXHAUSTED))
		return err_code(e);
	cvm->step = step;
	return 0;
}

static int stop(struct lifecycle *l, struct cvm *cvm, const struct vm_host *host, bool insist,
		struct err *e)
{
	if (!insist && cvm->step == CVM_RUNNING && virt_connect(host->virt, e) < 0)
		return err_code(e);
	if (cvm->step >= CVM_DOMAIN && cvm->step <= CVM_RUNNING &&
	    set_last_step(l, cvm, CVM_STOPPING, insist, e) < 0)
		return err_code(e);
	if (cvm->step == CVM_STOPPING && (registry_lease_check(l->registry, cvm->host, e) < 0 ||
					  virt_stop(host->virt, cvm->id, e) < 0))
		return err_code(e);
	return cvm->step == CVM_CLEANING ? 0 : set_last_step(l, cvm, CVM_CLEANING, insist, e);
}

static int remove_folders(const struct paths *paths, struct err *e)
{
	return dir_remove(paths->secrets, e) < 0 ? err_code(e) : dir_remove(paths->state, e);
}

int lifecycle_remove_folders(const struct lifecycle *l, const char *id, struct err *e)
{
	CLEANUP_PATHS struct paths paths = { 0 };

	if (paths_init(&paths, l->config, id, e) < 0)
		return err_code(e);
	return remove_folders(&paths, e);
}

int lifecycle_remove(struct lifecycle *l, struct cvm *cvm, bool insist, struct err *e)
{
	CLEANUP_PATHS struct paths paths = { 0 };
	struct vm_host *host;

	if (paths_init(&paths, l->config, cvm->id, e) < 0 ||
	    vm_hosts_get(l->hosts, cvm->host, &host, e) < 0)
		return err_code(e);
	if (stop(l, cvm, host, insist, e) < 0 ||
	    registry_lease_check(l->registry, cvm->host, e) < 0 ||
	    (!host->is_local && boot_files_take_back(host, cvm->id, e) < 0))
		return vm_host_wrap(host, e);
	if (remove_folders(&paths, e) < 0)
		return err_code(e);
	cvm->exited_ms = clock_ms(CLOCK_REALTIME);
	if (registry_delete(l->registry, cvm, e) < 0 && e->code != ERR_NOT_FOUND)
		return err_code(e);
	ports_give(l->ports, cvm->port);
	return 0;
}
