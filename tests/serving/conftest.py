import pytest
from serving_fakes import Client, EndpointFiles


@pytest.fixture
def files(tmp_path):
    return EndpointFiles(tmp_path)


@pytest.fixture
def client(files):
    made = Client(files)
    yield made
    made.close()
