/* SPDX-License-Identifier: Apache-2.0 */
/* virt_volume.c — files that a domain needs on another host, through libvirt's storage pools. */
#include "manager/virt/virt_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libvirt/virterror.h>

enum { XML_MAX = 1024 };

DEFINE_CLEANUP(virStoragePoolPtr, virStoragePoolFree)
DEFINE_CLEANUP(virStorageVolPtr, virStorageVolFree)
DEFINE_CLEANUP(virStreamPtr, virStreamFree)

static bool is_missing(int code)
{
	return code == VIR_ERR_NO_STORAGE_POOL || code == VIR_ERR_NO_STORAGE_VOL;
}

static int find_pool(virConnectPtr conn, const char *name, virStoragePoolPtr *pool, struct err *e)
{
	*pool = virStoragePoolLookupByName(conn, name);
	if (!*pool && is_missing(virGetLastErrorCode()))
		return err_set(e, ERR_PRECONDITION,
			       "the host has no storage pool '%s', which boot configurations need: "
			       "define it there, of type dir, on a tmpfs",
			       name);
	if (!*pool)
		return virt_error(conn, e, "look for a storage pool");
	if (virStoragePoolIsActive(*pool) != 1)
		return err_set(e, ERR_PRECONDITION,
			       "the host's storage pool '%s' does not run: start it there "
			       "(virsh pool-start), and let it start by itself",
			       name);
	return 0;
}

static int send_bytes(virConnectPtr conn, virStorageVolPtr volume, const char *bytes, size_t len,
		      struct err *e)
{
	CLEANUP(virStreamFree) virStreamPtr stream = virStreamNew(conn, 0);
	size_t sent = 0;

	if (!stream || virStorageVolUpload(volume, stream, 0, len, 0) < 0)
		return virt_error(conn, e, "write a volume");
	while (sent < len) {
		int n = virStreamSend(stream, bytes + sent, len - sent);

		if (n < 0) {
			virt_error(conn, e, "write a volume");
			(void)virStreamAbort(stream);
			return err_code(e);
		}
		sent += (size_t)n;
	}
	return virStreamFinish(stream) < 0 ? virt_error(conn, e, "write a volume") : 0;
}

static int fill(virConnectPtr conn, virStorageVolPtr made, const struct virt_volume *volume,
		char path[VIRT_PATH_MAX], struct err *e)
{
	CLEANUP(free) char *at = NULL;

	if (send_bytes(conn, made, volume->bytes, volume->len, e) < 0)
		return err_code(e);
	at = virStorageVolGetPath(made);
	if (!at)
		return virt_error(conn, e, "ask where a volume is");
	if (at[0] != '/' || snprintf(path, VIRT_PATH_MAX, "%s", at) >= VIRT_PATH_MAX)
		return err_set(e, ERR_PRECONDITION,
			       "the host's storage pool '%s' is not of type dir: its volumes are "
			       "no files",
			       volume->pool);
	return 0;
}

/* Pool and volume have names in which nothing has to be escaped. libvirt gives the file to QEMU's user when the
 * domain starts. */
int virt_volume_make(struct virt *v, const struct virt_volume *volume, char path[VIRT_PATH_MAX],
		     struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	CLEANUP(virStoragePoolFree) virStoragePoolPtr pool = NULL;
	CLEANUP(virStorageVolFree) virStorageVolPtr made = NULL;
	char xml[XML_MAX];

	if (virt_take(v, &conn, e) < 0 || find_pool(conn, volume->pool, &pool, e) < 0)
		return err_code(e);
	snprintf(xml, sizeof(xml),
		 "<volume type='file'><name>%s</name><capacity unit='bytes'>%zu</capacity>"
		 "<target><format type='raw'/><permissions><mode>0600</mode></permissions></target>"
		 "</volume>",
		 volume->name, volume->len);
	made = virStorageVolCreateXML(pool, xml, 0);
	if (!made)
		return virt_error(conn, e, "make a volume");
	if (fill(conn, made, volume, path, e) == 0)
		return 0;
	(void)virStorageVolDelete(made, 0);
	return err_code(e);
}

int virt_volume_remove(struct virt *v, const char *pool_name, const char *name, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	CLEANUP(virStoragePoolFree) virStoragePoolPtr pool = NULL;
	CLEANUP(virStorageVolFree) virStorageVolPtr volume = NULL;

	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	pool = virStoragePoolLookupByName(conn, pool_name);
	volume = pool ? virStorageVolLookupByName(pool, name) : NULL;
	if (!volume)
		return is_missing(virGetLastErrorCode()) ? 0
							 : virt_error(conn, e, "look for a volume");
	if (virStorageVolDelete(volume, 0) < 0 && !is_missing(virGetLastErrorCode()))
		return virt_error(conn, e, "remove a volume");
	return 0;
}

int virt_pool_check(struct virt *v, const char *name, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	CLEANUP(virStoragePoolFree) virStoragePoolPtr pool = NULL;

	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	return find_pool(conn, name, &pool, e);
}

int virt_volumes(struct virt *v, const char *pool_name, const char *prefix,
		 char (*names)[VIRT_NAME_MAX], size_t max, size_t *count, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	CLEANUP(virStoragePoolFree) virStoragePoolPtr pool = NULL;
	virStorageVolPtr *all = NULL;
	int total = 0;

	*count = 0;
	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	pool = virStoragePoolLookupByName(conn, pool_name);
	if (!pool && !is_missing(virGetLastErrorCode()))
		return virt_error(conn, e, "look for a storage pool");
	if (pool && virStoragePoolIsActive(pool) == 1)
		total = virStoragePoolListAllVolumes(pool, &all, 0);
	if (total < 0)
		return virt_error(conn, e, "list volumes");
	for (int i = 0; i < total; i++) {
		const char *name = virStorageVolGetName(all[i]);

		if (name && strncmp(name, prefix, strlen(prefix)) == 0) {
			if (*count < max)
				virt_name(name, names[*count]);
			++*count;
		}
		virStorageVolFree(all[i]);
	}
	free(all);
	return 0;
}
