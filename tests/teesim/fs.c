/* SPDX-License-Identifier: Apache-2.0 */
#define FUSE_USE_VERSION 35
#include "tests/teesim/fs.h"

#include "tests/teesim/sev_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <fuse3/fuse.h>
#include <fuse3/fuse_lowlevel.h>

enum { BLOB_MAX = 65536, TEXT_SIZE = 4096 };

/* One open file, or a folder, which has its path alone. Configfs fills a file at the first read; binary
 * attributes are stored when it is closed. */
struct file {
	LIST_ENTRY(file) link;
	char *path;
	const struct tsm_attribute *attribute; /* NULL: a register, or the device */
	struct tsm_entry *entry;
	bool is_device;
	size_t reg;
	bool filled, dirty;
	struct writer content;
};

/* What is served, and what is open: the kernel tells of the last closes after it has unmounted, or never. */
struct served {
	struct tsm *tsm;
	LIST_HEAD(, file) files;
};

static const struct reg {
	const char *name;
	size_t at; /* in struct tdx_body */
	int rtmr;  /* -1: can't be extended */
} regs[] = {
	{ "mrconfigid", offsetof(struct tdx_body, mrconfigid), -1 },
	{ "mrowner", offsetof(struct tdx_body, mrowner), -1 },
	{ "mrownerconfig", offsetof(struct tdx_body, mrownerconfig), -1 },
	{ "mrtd:sha384", offsetof(struct tdx_body, mrtd), -1 },
	{ "rtmr0:sha384", offsetof(struct tdx_body, rtmr[0]), 0 },
	{ "rtmr1:sha384", offsetof(struct tdx_body, rtmr[1]), 1 },
	{ "rtmr2:sha384", offsetof(struct tdx_body, rtmr[2]), 2 },
	{ "rtmr3:sha384", offsetof(struct tdx_body, rtmr[3]), 3 },
};

static struct served *served_here(void)
{
	return fuse_get_context()->private_data;
}

static struct tsm *tsm_here(void)
{
	return served_here()->tsm;
}

static struct file *file_new(struct fuse_file_info *fi)
{
	struct file *f = calloc(1, sizeof(*f));

	if (f) {
		LIST_INSERT_HEAD(&served_here()->files, f, link);
		fi->fh = (uint64_t)(uintptr_t)f;
	}
	return f;
}

static struct file *file_of(const struct fuse_file_info *fi)
{
	return (struct file *)(uintptr_t)fi->fh;
}

static void file_free(struct file *f)
{
	LIST_REMOVE(f, link);
	if (f->entry)
		tsm_entry_release(f->entry);
	writer_done(&f->content);
	free(f->path);
	free(f);
}

static bool has_registers(void)
{
	return tsm_here()->device->facts.tee == FACTS_TDX;
}

/* What a path names. */
enum kind { NOTHING, FOLDER, REPORTS, ENTRY, ATTRIBUTE, REGISTERS, REGISTER, DEVICE };
struct place {
	enum kind kind;
	struct tsm_entry *entry;
	const struct tsm_attribute *attribute;
	size_t reg;
	const char *name; /* of an entry that is not there */
};

static struct place find_report(const char *name)
{
	struct tsm *tsm = tsm_here();
	const char *slash = strchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : strlen(name);
	struct place p = { .name = slash ? NULL : name, .entry = tsm_find(tsm, name, len) };

	if (p.entry && !slash)
		p.kind = ENTRY;
	if (p.entry && slash && (p.attribute = tsm_attribute_named(tsm, slash + 1)))
		p.kind = ATTRIBUTE;
	return p;
}

static struct place find_register(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(regs); i++)
		if (strcmp(regs[i].name, name) == 0)
			return (struct place){ .kind = REGISTER, .reg = i };
	return (struct place){ .kind = NOTHING };
}

static struct place find(const char *path)
{
	static const char reports[] = "/report", registers[] = "/measurements";

	if (strcmp(path, "/") == 0)
		return (struct place){ .kind = FOLDER };
	if (!has_registers() && strcmp(path, "/sev-guest") == 0)
		return (struct place){ .kind = DEVICE };
	if (strcmp(path, reports) == 0)
		return (struct place){ .kind = REPORTS };
	if (strncmp(path, "/report/", sizeof(reports)) == 0)
		return find_report(path + sizeof(reports));
	if (has_registers() && strcmp(path, registers) == 0)
		return (struct place){ .kind = REGISTERS };
	if (has_registers() && strncmp(path, "/measurements/", sizeof(registers)) == 0)
		return find_register(path + sizeof(registers));
	return (struct place){ .kind = NOTHING };
}

static mode_t mode_of(const struct place *p)
{
	if (p->kind == ATTRIBUTE)
		return p->attribute->mode;
	if (p->kind == DEVICE)
		return 0600;
	if (p->kind == REGISTER)
		return regs[p->reg].rtmr >= 0 ? 0644 : 0444;
	return 0755;
}

/* The kernel gives root whatever is made in here, whoever made it. NULL: it stays root's. */
static uid_t *owner_of(const struct place *p)
{
	static uid_t of_registers[ARRAY_LEN(regs)], of_device, of_reports;

	if (p->kind == ENTRY)
		return &p->entry->owner;
	for (size_t i = 0; p->kind == ATTRIBUTE && i < TSM_ATTRIBUTES_MAX; i++)
		if (tsm_attribute(tsm_here(), i) == p->attribute)
			return &p->entry->owners[i];
	return p->kind == REGISTER  ? &of_registers[p->reg]
	       : p->kind == DEVICE  ? &of_device
	       : p->kind == REPORTS ? &of_reports
				    : NULL;
}

static bool is_file(const struct place *p)
{
	return p->kind == ATTRIBUTE || p->kind == REGISTER || p->kind == DEVICE;
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	struct place p = path ? find(path) : (struct place){ .kind = NOTHING };
	bool file = is_file(&p);

	if (p.kind == NOTHING)
		return -ENOENT;
	memset(st, 0, sizeof(*st));
	st->st_mode = mode_of(&p) | (file ? S_IFREG : S_IFDIR);
	st->st_nlink = file ? 1 : 2;
	st->st_uid = owner_of(&p) ? *owner_of(&p) : 0;
	st->st_size = p.kind == REGISTER                            ? SHA384_LEN
		      : p.kind == ATTRIBUTE && !p.attribute->binary ? TEXT_SIZE
								    : 0;
	return 0;
}

static void list_names(const struct place *p, void *buf, fuse_fill_dir_t fill)
{
	struct tsm *tsm = tsm_here();
	const struct tsm_attribute *a;
	struct tsm_entry *entry;

	if (p->kind == FOLDER) {
		fill(buf, "report", NULL, 0, 0);
		fill(buf, has_registers() ? "measurements" : "sev-guest", NULL, 0, 0);
	}
	if (p->kind == REPORTS)
		LIST_FOREACH(entry, &tsm->entries, link)
			fill(buf, entry->name, NULL, 0, 0);
	for (size_t i = 0; p->kind == ENTRY && (a = tsm_attribute(tsm, i)); i++)
		fill(buf, a->name, NULL, 0, 0);
	for (size_t i = 0; p->kind == REGISTERS && i < ARRAY_LEN(regs); i++)
		fill(buf, regs[i].name, NULL, 0, 0);
}

/* Calls on an open file come without a path: the path may be gone by then. */
static int on_opendir(const char *path, struct fuse_file_info *fi)
{
	struct file *f = file_new(fi);

	if (f && !(f->path = strdup(path)))
		file_free(TAKE_PTR(f));
	return f ? 0 : -ENOMEM;
}

static int on_release(const char *path, struct fuse_file_info *fi)
{
	file_free(file_of(fi));
	return 0;
}

static int on_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	struct place p = find(file_of(fi)->path);

	if (p.kind == NOTHING)
		return -ENOENT;
	if (is_file(&p))
		return -ENOTDIR;
	fill(buf, ".", NULL, 0, 0);
	fill(buf, "..", NULL, 0, 0);
	list_names(&p, buf, fill);
	return 0;
}

static int on_mkdir(const char *path, mode_t mode)
{
	struct place p = find(path);

	if (p.kind != NOTHING)
		return -EEXIST;
	return p.name && strncmp(path, "/report/", 8) == 0 ? tsm_mkdir(tsm_here(), p.name) : -EPERM;
}

static int on_rmdir(const char *path)
{
	struct place p = find(path);

	if (p.kind == NOTHING)
		return -ENOENT;
	return p.kind == ENTRY ? tsm_rmdir(tsm_here(), p.entry->name) : -EPERM;
}

static int on_open(const char *path, struct fuse_file_info *fi)
{
	struct place p = find(path);
	struct file *f;
	mode_t mode = mode_of(&p);
	int access = fi->flags & O_ACCMODE;

	if (p.kind == NOTHING)
		return -ENOENT;
	/* Not even root may write what can't be written. */
	if ((access != O_RDONLY && !(mode & 0222)) || (access != O_WRONLY && !(mode & 0444)))
		return -EACCES;
	f = file_new(fi);
	if (!f)
		return -ENOMEM;
	f->attribute = p.attribute;
	f->reg = p.reg;
	f->is_device = p.kind == DEVICE;
	f->content = writer_up_to(BLOB_MAX);
	f->entry = p.entry;
	if (f->entry)
		f->entry->uses++;
	fi->direct_io = 1;
	return 0;
}

static uint8_t *register_of(const struct file *f)
{
	return (uint8_t *)&tsm_here()->device->facts.quote.body + regs[f->reg].at;
}

static int copy_out(const uint8_t *bytes, size_t len, char *buf, size_t size, off_t offset)
{
	if (offset < 0 || (size_t)offset >= len)
		return 0;
	if (size > len - (size_t)offset)
		size = len - (size_t)offset;
	memcpy(buf, bytes + offset, size);
	return (int)size;
}

static int on_read(const char *path, char *buf, size_t size, off_t offset,
		   struct fuse_file_info *fi)
{
	struct file *f = file_of(fi);

	if (f->is_device)
		return -EINVAL;
	if (!f->attribute)
		return copy_out(register_of(f), SHA384_LEN, buf, size, offset);
	if (!f->filled) {
		int failed = f->attribute->show(tsm_here(), f->entry, &f->content);

		if (failed)
			return failed;
		if (f->content.bad)
			return -EFBIG;
		f->filled = true;
	}
	return copy_out(f->content.bytes, f->content.len, buf, size, offset);
}

static int keep_blob(struct file *f, const char *buf, size_t size, off_t offset)
{
	f->dirty = true; /* even if it does not fit: configfs then stores what it has */
	if (offset < 0 || (size_t)offset > f->attribute->max ||
	    size > f->attribute->max - (size_t)offset)
		return -EFBIG;
	if ((size_t)offset > f->content.len)
		writer_zeros(&f->content, (size_t)offset - f->content.len);
	if ((size_t)offset + size > f->content.len)
		writer_zeros(&f->content, (size_t)offset + size - f->content.len);
	if (f->content.bad)
		return -ENOMEM;
	memcpy(f->content.bytes + offset, buf, size);
	return (int)size;
}

static int on_write(const char *path, const char *buf, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	struct file *f = file_of(fi);
	int failed;

	if (f->is_device)
		return -EINVAL;
	if (!f->attribute) {
		if (offset != 0 || size != SHA384_LEN)
			return -EINVAL;
		failed = device_extend(tsm_here()->device, (size_t)regs[f->reg].rtmr,
				       (const uint8_t *)buf);
		return failed ? failed : (int)size;
	}
	if (f->attribute->binary)
		return keep_blob(f, buf, size, offset);
	if (size > f->attribute->max)
		size = f->attribute->max;
	failed = f->attribute->store(f->entry, buf, size);
	return failed ? failed : (int)size;
}

static int on_ioctl(const char *path, unsigned int command, void *argument,
		    struct fuse_file_info *fi, unsigned int flags, void *data)
{
	const struct sev_guest_caller caller = { fuse_get_context()->pid,
						 (uint64_t)(uintptr_t)argument };

	if (!file_of(fi)->is_device)
		return -ENOTTY;
	return sev_guest_ioctl(tsm_here()->device, &caller, command, data);
}

/* close() waits for this and not for release(). Configfs does not report a failed store. */
static int on_flush(const char *path, struct fuse_file_info *fi)
{
	struct file *f = file_of(fi);

	if (f->dirty) {
		f->attribute->store(f->entry, (const char *)f->content.bytes, f->content.len);
		f->dirty = false;
	}
	return 0;
}

/* O_TRUNC means nothing to configfs and sysfs. */
static int on_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	return 0;
}

static int on_chown(const char *path, uid_t user, gid_t group, struct fuse_file_info *fi)
{
	struct place p = path ? find(path) : (struct place){ .kind = NOTHING };

	if (p.kind == NOTHING)
		return -ENOENT;
	uid_t *owner = owner_of(&p);
	if (!owner)
		return -EPERM;
	*owner = user == (uid_t)-1 ? *owner : user;
	return 0;
}

static int on_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	return -EACCES;
}

static int on_unlink(const char *path)
{
	return -EPERM;
}

static void *on_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
	config->nullpath_ok = 1; /* a file stays open when its folder is gone */
	config->hard_remove = 1;
	return fuse_get_context()->private_data;
}

static const struct fuse_operations operations = {
	.init = on_init,
	.getattr = on_getattr,
	.opendir = on_opendir,
	.readdir = on_readdir,
	.releasedir = on_release,
	.mkdir = on_mkdir,
	.rmdir = on_rmdir,
	.open = on_open,
	.create = on_create,
	.chown = on_chown,
	.read = on_read,
	.write = on_write,
	.ioctl = on_ioctl,
	.flush = on_flush,
	.release = on_release,
	.truncate = on_truncate,
	.unlink = on_unlink,
};

static int serve(struct fuse *fuse, int (*ready)(void *data, struct err *e), void *data,
		 struct err *e)
{
	if (fuse_set_signal_handlers(fuse_get_session(fuse)) != 0)
		return err_set(e, ERR_INTERNAL, "signal handlers");
	int failed = ready(data, e);
	if (!failed && fuse_loop(fuse) < 0)
		failed = err_set(e, ERR_INTERNAL, "the file system's loop ended");
	fuse_remove_signal_handlers(fuse_get_session(fuse));
	return failed;
}

/* By hand: libfuse would call other programs, which an image does not have. Returns the descriptor.
 */
static int mount_at(const char *folder, struct err *e)
{
	CLEANUP(close) int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	if (fd < 0)
		return err_errno(e, "open '/dev/fuse'");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other", fd);
	if (mount("teesim", folder, "fuse.teesim", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		return err_errno(e, "mount at '%s'", folder);
	return TAKE_FD(fd);
}

int fs_serve(struct tsm *tsm, const char *folder, int (*ready)(void *data, struct err *e),
	     void *data, struct err *e)
{
	char *argv[] = { (char *)"cocos-teesim", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	char path[32];
	int fd = mount_at(folder, e), failed;

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);

	struct served served = { .tsm = tsm };
	struct fuse *fuse = fuse_new(&args, &operations, sizeof(operations), &served);

	if (fuse && fuse_mount(fuse, path) == 0)
		failed = serve(fuse, ready, data, e);
	else
		failed = err_set(e, ERR_INTERNAL, "FUSE does not start");
	umount2(folder, MNT_DETACH);
	if (fuse) {
		fuse_unmount(fuse);
		fuse_destroy(fuse);
	}
	while (!LIST_EMPTY(&served.files))
		file_free(LIST_FIRST(&served.files));
	fuse_opt_free_args(&args);
	return failed;
}
