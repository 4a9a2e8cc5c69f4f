from setuptools import find_packages, setup

setup(
    name='gateway',
    version='0.3.0',
    packages=find_packages(),
    python_requires='>=2.7',  # migrate: python-version
    install_requires=[
        'tchannel>=0.18,<0.31',  # migrate: requirement
        'tornado>=4.2,<5',  # migrate: requirement
        'toro>=0.8',  # migrate: requirement
        'requests',
    ],
)
