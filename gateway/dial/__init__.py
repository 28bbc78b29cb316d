"""The desktop client behind `callgate dial`: its device file, one command, a call followed."""
