/* SSE2 where it is there; AddressSanitizer wants to see every byte, so not under it. */
#ifndef WB_SIMD_H
#define WB_SIMD_H

#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__)
#include <emmintrin.h>
#define WB_SSE2 1
#endif

#endif
