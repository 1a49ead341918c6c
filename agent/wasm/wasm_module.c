/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wasm/wasm_module.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char wasi[] = "wasi_snapshot_preview1";

/* All of WASI preview 1 (wasi_snapshot_preview1.witx). The runtime has more, its own sockets for one:
 * a module that asks for those would not run elsewhere, and finds no network here. */
static const char *const functions[] = {
	"args_get",
	"args_sizes_get",
	"clock_res_get",
	"clock_time_get",
	"environ_get",
	"environ_sizes_get",
	"fd_advise",
	"fd_allocate",
	"fd_close",
	"fd_datasync",
	"fd_fdstat_get",
	"fd_fdstat_set_flags",
	"fd_fdstat_set_rights",
	"fd_filestat_get",
	"fd_filestat_set_size",
	"fd_filestat_set_times",
	"fd_pread",
	"fd_prestat_dir_name",
	"fd_prestat_get",
	"fd_pwrite",
	"fd_read",
	"fd_readdir",
	"fd_renumber",
	"fd_seek",
	"fd_sync",
	"fd_tell",
	"fd_write",
	"path_create_directory",
	"path_filestat_get",
	"path_filestat_set_times",
	"path_link",
	"path_open",
	"path_readlink",
	"path_remove_directory",
	"path_rename",
	"path_symlink",
	"path_unlink_file",
	"poll_oneoff",
	"proc_exit",
	"proc_raise",
	"random_get",
	"sched_yield",
	"sock_accept",
	"sock_recv",
	"sock_send",
	"sock_shutdown",
};

int wasm_module_check_bytes(const uint8_t *bytes, size_t len)
{
	static const uint8_t core[8] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };

	if (len < sizeof(core) || memcmp(bytes, core, 4) != 0)
		return WASM_EXIT_BYTES;
	if (memcmp(bytes, core, sizeof(core)) == 0)
		return 0;
	return bytes[6] == 1 ? WASM_EXIT_COMPONENT : WASM_EXIT_BYTES; /* the layer of components */
}

static bool is(WasmEdge_String name, const char *text)
{
	return name.Length == strlen(text) && memcmp(name.Buf, text, name.Length) == 0;
}

static bool is_wasi(const WasmEdge_ImportTypeContext *import)
{
	if (WasmEdge_ImportTypeGetExternalType(import) != WasmEdge_ExternalType_Function ||
	    !is(WasmEdge_ImportTypeGetModuleName(import), wasi))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (is(WasmEdge_ImportTypeGetExternalName(import), functions[i]))
			return true;
	return false;
}

static int check_imports(const WasmEdge_ASTModuleContext *module)
{
	uint32_t count = WasmEdge_ASTModuleListImportsLength(module);
	CLEANUP(free)
	const WasmEdge_ImportTypeContext **imports = calloc(count + 1UL, sizeof(*imports));

	if (!imports)
		return WASM_EXIT_RUNTIME;
	WasmEdge_ASTModuleListImports(module, imports, count);
	for (uint32_t i = 0; i < count; i++) {
		if (is_wasi(imports[i]))
			continue;
		WasmEdge_String name = WasmEdge_ImportTypeGetExternalName(imports[i]);
		WasmEdge_String from = WasmEdge_ImportTypeGetModuleName(imports[i]);
		fprintf(stderr, "wasm: import %u, %s of %s, is not WASI preview 1\n", i,
			log_quote_bytes(name.Buf, name.Length).text,
			log_quote_bytes(from.Buf, from.Length).text);
		return WASM_EXIT_IMPORT;
	}
	return 0;
}

static bool is_start(const WasmEdge_ASTModuleContext *module,
		     const WasmEdge_ExportTypeContext *export)
{
	const WasmEdge_FunctionTypeContext *type = NULL;

	if (WasmEdge_ExportTypeGetExternalType(export) == WasmEdge_ExternalType_Function &&
	    is(WasmEdge_ExportTypeGetExternalName(export), "_start"))
		type = WasmEdge_ExportTypeGetFunctionType(module, export);
	return type && WasmEdge_FunctionTypeGetParametersLength(type) == 0 &&
	       WasmEdge_FunctionTypeGetReturnsLength(type) == 0;
}

static const WasmEdge_MemoryTypeContext *memory_of(const WasmEdge_ASTModuleContext *module,
						   const WasmEdge_ExportTypeContext *export)
{
	if (WasmEdge_ExportTypeGetExternalType(export) != WasmEdge_ExternalType_Memory ||
	    !is(WasmEdge_ExportTypeGetExternalName(export), "memory"))
		return NULL;
	return WasmEdge_ExportTypeGetMemoryType(module, export);
}

static int check_exports(const WasmEdge_ASTModuleContext *module, uint32_t pages)
{
	uint32_t count = WasmEdge_ASTModuleListExportsLength(module);
	CLEANUP(free)
	const WasmEdge_ExportTypeContext **exports = calloc(count + 1UL, sizeof(*exports));
	const WasmEdge_MemoryTypeContext *memory = NULL;
	bool start = false;

	if (!exports)
		return WASM_EXIT_RUNTIME;
	WasmEdge_ASTModuleListExports(module, exports, count);
	for (uint32_t i = 0; i < count; i++) {
		start = start || is_start(module, exports[i]);
		memory = memory ? memory : memory_of(module, exports[i]);
	}
	if (!start || !memory)
		return WASM_EXIT_PROGRAM;
	return WasmEdge_MemoryTypeGetLimit(memory).Min > pages ? WASM_EXIT_MEMORY : 0;
}

int wasm_module_check(const WasmEdge_ASTModuleContext *module, uint32_t pages)
{
	int failed = check_imports(module);

	return failed ? failed : check_exports(module, pages);
}
