#ifndef WB_COMMON_API_H
#define WB_COMMON_API_H
/* Changes with every incompatible change of the C core's own interface. */
int wb_core_version(void);
#endif
