from __future__ import annotations

from setuptools import setup

setup(cffi_modules=["workbench/native/build_core.py:ffibuilder"])
