"""As much of Airflow's authoring interface as the DAG uses."""

import pathlib


class Param:
    def __init__(self, default, **schema):
        self.default = default
        self.schema = schema


class DAG:
    current = None

    def __init__(self, dag_id, *, params, default_args, **options):
        self.dag_id = dag_id
        self.params = params
        self.default_args = default_args
        self.options = options
        self.tasks = []

    def __enter__(self):
        DAG.current = self
        return self

    def __exit__(self, *failure):
        DAG.current = None


class ObjectStoragePath(pathlib.PosixPath):
    def __new__(cls, path):
        assert path.startswith("file://"), path
        return pathlib.PosixPath(path[len("file://") :])
