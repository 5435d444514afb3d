// Which sluice this is.

/// The version, as `sluice version`, `/status` and `sluice_build_info` tell it.
package let sluiceVersion = "0.1.0"
