/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasm_main.c — cocos-wasm PAGES MODULE [ARGUMENT...]: runs one module as a program of WASI preview 1,
 * inside the jail, whose program it is. Interpreted: no code is made at run time.
 *
 * The module finds datasets and results, which the jail bounds, its arguments, stdout and stderr; no
 * environment. PAGES of 64 KiB are the most that its memory grows to.
 */
#include "agent/wasm/wasm_exit.h"
#include "agent/wasm/wasm_form.h"
#include "agent/wasm/wasm_module.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(WasmEdge_ConfigureContext *, WasmEdge_ConfigureDelete)
DEFINE_CLEANUP(WasmEdge_LoaderContext *, WasmEdge_LoaderDelete)
DEFINE_CLEANUP(WasmEdge_ValidatorContext *, WasmEdge_ValidatorDelete)
DEFINE_CLEANUP(WasmEdge_ASTModuleContext *, WasmEdge_ASTModuleDelete)
DEFINE_CLEANUP(WasmEdge_ExecutorContext *, WasmEdge_ExecutorDelete)
DEFINE_CLEANUP(WasmEdge_StoreContext *, WasmEdge_StoreDelete)
DEFINE_CLEANUP(WasmEdge_ModuleInstanceContext *, WasmEdge_ModuleInstanceDelete)

enum { PAGES_MAX = 65536 }; /* 4 GiB, all that 32 bits address */

/* How a run that was not the module's own end is told. */
static const struct {
	enum WasmEdge_ErrCode code;
	enum wasm_exit exit;
} traps[] = {
	{ WasmEdge_ErrCode_Unreachable, WASM_EXIT_UNREACHABLE },
	{ WasmEdge_ErrCode_MemoryOutOfBounds, WASM_EXIT_BOUNDS },
	{ WasmEdge_ErrCode_TableOutOfBounds, WASM_EXIT_BOUNDS },
	{ WasmEdge_ErrCode_DataSegDoesNotFit, WASM_EXIT_BOUNDS },
	{ WasmEdge_ErrCode_ElemSegDoesNotFit, WASM_EXIT_BOUNDS },
	{ WasmEdge_ErrCode_DivideByZero, WASM_EXIT_ARITHMETIC },
	{ WasmEdge_ErrCode_IntegerOverflow, WASM_EXIT_ARITHMETIC },
	{ WasmEdge_ErrCode_InvalidConvToInt, WASM_EXIT_ARITHMETIC },
	{ WasmEdge_ErrCode_UninitializedElement, WASM_EXIT_CALL },
	{ WasmEdge_ErrCode_UndefinedElement, WASM_EXIT_CALL },
	{ WasmEdge_ErrCode_IndirectCallTypeMismatch, WASM_EXIT_CALL },
	{ WasmEdge_ErrCode_UnknownImport, WASM_EXIT_LINK },
	{ WasmEdge_ErrCode_IncompatibleImportType, WASM_EXIT_LINK },
};

static int exit_of(WasmEdge_Result result, const WasmEdge_ModuleInstanceContext *wasi)
{
	uint32_t code = WasmEdge_ResultGetCode(result);

	if (code == WasmEdge_ErrCode_Success || code == WasmEdge_ErrCode_Terminated) {
		uint32_t own = WasmEdge_ModuleInstanceWASIGetExitCode(wasi);

		return own <= WASM_EXIT_MODULE_MAX ? (int)own : WASM_EXIT_CODE;
	}
	for (size_t i = 0; i < ARRAY_LEN(traps); i++)
		if (code == (uint32_t)traps[i].code)
			return (int)traps[i].exit;
	return WASM_EXIT_TRAP;
}

/* Compiled code that a module may bring along is not looked at: it would be anything. */
static WasmEdge_ConfigureContext *configure(uint32_t pages)
{
	WasmEdge_ConfigureContext *configure = WasmEdge_ConfigureCreate();

	if (configure) {
		WasmEdge_ConfigureSetForceInterpreter(configure, true);
		WasmEdge_ConfigureSetMaxMemoryPage(configure, pages);
	}
	return configure;
}

static int load(const WasmEdge_ConfigureContext *configure, const char *path, uint32_t pages,
		WasmEdge_ASTModuleContext **module)
{
	CLEANUP(WasmEdge_LoaderDelete)
	WasmEdge_LoaderContext *loader = WasmEdge_LoaderCreate(configure);
	CLEANUP(WasmEdge_ValidatorDelete)
	WasmEdge_ValidatorContext *validator = WasmEdge_ValidatorCreate(configure);
	CLEANUP(free) uint8_t *bytes = NULL;
	struct err e;
	size_t len;

	if (!loader || !validator)
		return WASM_EXIT_RUNTIME;
	if (file_read(path, WASM_MODULE_MAX, &bytes, &len, &e) < 0)
		return WASM_EXIT_BYTES;
	int failed = wasm_form_check_bytes(bytes, len);
	if (failed)
		return failed;
	const WasmEdge_Bytes whole = { .Length = (uint32_t)len, .Buf = bytes };
	if (!WasmEdge_ResultOK(WasmEdge_LoaderParseFromBytes(loader, module, whole)) ||
	    !WasmEdge_ResultOK(WasmEdge_ValidatorValidate(validator, *module)))
		return WASM_EXIT_MODULE;
	return wasm_module_check(*module, pages);
}

static WasmEdge_ModuleInstanceContext *make_wasi(const char *const *args, uint32_t count)
{
	static const char *const opened[] = { "datasets:/task/datasets", "results:/task/results" };

	return WasmEdge_ModuleInstanceCreateWASI(args, count, NULL, 0, opened, ARRAY_LEN(opened));
}

static int run(const WasmEdge_ConfigureContext *configure, const WasmEdge_ASTModuleContext *module,
	       const char *const *args, uint32_t count)
{
	CLEANUP(WasmEdge_ExecutorDelete)
	WasmEdge_ExecutorContext *executor = WasmEdge_ExecutorCreate(configure, NULL);
	CLEANUP(WasmEdge_StoreDelete) WasmEdge_StoreContext *store = WasmEdge_StoreCreate();
	CLEANUP(WasmEdge_ModuleInstanceDelete)
	WasmEdge_ModuleInstanceContext *wasi = make_wasi(args, count);
	CLEANUP(WasmEdge_ModuleInstanceDelete) WasmEdge_ModuleInstanceContext *instance = NULL;

	if (!executor || !store || !wasi ||
	    !WasmEdge_ResultOK(WasmEdge_ExecutorRegisterImport(executor, store, wasi)))
		return WASM_EXIT_RUNTIME;
	/* This already runs what the module's start section names. */
	WasmEdge_Result result = WasmEdge_ExecutorInstantiate(executor, &instance, store, module);
	if (WasmEdge_ResultGetCode(result) != WasmEdge_ErrCode_Success)
		return exit_of(result, wasi);
	static const char name[] = "_start";
	const WasmEdge_FunctionInstanceContext *start = WasmEdge_ModuleInstanceFindFunction(
		instance, WasmEdge_StringWrap(name, sizeof(name) - 1));
	if (!start)
		return WASM_EXIT_PROGRAM;
	return exit_of(WasmEdge_ExecutorInvoke(executor, start, NULL, 0, NULL, 0), wasi);
}

int main(int argc, char **argv)
{
	unsigned long pages = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;

	WasmEdge_LogOff(); /* it would write among the module's output */
	if (pages == 0 || pages > PAGES_MAX)
		return WASM_EXIT_RUNTIME;
	CLEANUP(WasmEdge_ConfigureDelete)
	WasmEdge_ConfigureContext *settings = configure((uint32_t)pages);
	CLEANUP(WasmEdge_ASTModuleDelete) WasmEdge_ASTModuleContext *module = NULL;
	if (!settings)
		return WASM_EXIT_RUNTIME;
	int failed = load(settings, argv[2], (uint32_t)pages, &module);
	if (failed)
		return failed;
	return run(settings, module, (const char *const *)argv + 2, (uint32_t)argc - 2);
}
