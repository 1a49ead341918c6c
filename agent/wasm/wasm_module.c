/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wasm/wasm_module.h"

#include "agent/wasm/wasm_form.h"
#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is(WasmEdge_String name, const char *text)
{
	return name.Length == strlen(text) && memcmp(name.Buf, text, name.Length) == 0;
}

static bool is_wasi(const WasmEdge_ImportTypeContext *import)
{
	if (WasmEdge_ImportTypeGetExternalType(import) != WasmEdge_ExternalType_Function ||
	    !is(WasmEdge_ImportTypeGetModuleName(import), WASM_WASI))
		return false;
	WasmEdge_String name = WasmEdge_ImportTypeGetExternalName(import);
	return wasm_form_is_wasi(name.Buf, name.Length);
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
