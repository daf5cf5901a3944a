int wb_core_version(void);
