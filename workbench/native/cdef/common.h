/* Changes with every incompatible change of the C core's own interface. */
int wb_core_version(void);
/* Objects of the C core that are alive; zero when everything was closed. */
int64_t wb_live_objects(void);
