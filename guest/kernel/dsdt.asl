// SPDX-License-Identifier: GPL-2.0-only
//
// The only ACPI code that the guest's kernel runs: compiled in, and measured with it. QEMU puts these
// devices at these places; what is not described here, the kernel finds by PCI or in static tables.
DefinitionBlock ("", "DSDT", 2, "COCOS", "GUEST", 1)
{
	// "Soft off" is type 0 of PM1 in both of QEMU's chipsets.
	Name (\_S5, Package () { 0, 0, 0, 0 })

	Scope (\_SB)
	{
		// Both interfaces of a TPM 2.0; the TPM2 table says which it is.
		Device (TPM)
		{
			Name (_HID, "MSFT0101")
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xFED40000, 0x00005000)
			})
		}

		// fw_cfg, which only the kernel of development images has a driver for.
		Device (FWCF)
		{
			Name (_HID, "QEMU0002")
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0510, 0x0510, 0x01, 0x0C)
			})
		}
	}
}
