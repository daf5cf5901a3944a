/* Answers for the checks of a condition program that C leaves to Python. */
extern "Python" int wbk_python_callback(void *context, int32_t slot, int64_t start,
					int64_t n, const uint64_t *need, uint64_t *out);
